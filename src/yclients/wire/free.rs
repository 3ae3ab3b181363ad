//! Free times. Of a start only `time` is read: `datetime` is a number in the documents and a text in
//! practice, and its offset is not to be trusted.

use chrono::{NaiveDate, NaiveDateTime, NaiveTime};
use serde::Deserialize;

use super::lenient::{List, Obj, Scalar};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct WireDays {
    booking_dates: Option<List<Scalar>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct WireTime {
    time: Scalar,
}

pub(super) fn days(data: &str) -> Option<Vec<NaiveDate>> {
    let Obj::Some(WireDays { booking_dates }) = serde_json::from_str(data).ok()? else {
        return None;
    };
    let Some(List::Items(dates)) = booking_dates else {
        return None;
    };
    let date = |text: &Scalar| text.text().get(..10)?.parse().ok();
    let mut days: Vec<NaiveDate> = dates.iter().filter_map(date).collect();
    days.sort_unstable();
    days.dedup();
    Some(days)
}

pub(super) fn times(data: &str, day: NaiveDate) -> Option<Vec<NaiveDateTime>> {
    let rows: List<Obj<WireTime>> = serde_json::from_str(data).ok()?;
    let clock = |row: WireTime| NaiveTime::parse_from_str(&row.time.text(), "%H:%M").ok();
    let starts = rows.objects()?.into_iter().filter_map(clock);
    let mut times: Vec<NaiveDateTime> = starts.map(|time| day.and_time(time)).collect();
    times.sort_unstable();
    times.dedup();
    Some(times)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_times_are_read_in_order_and_what_is_none_is_left_out() {
        let days = days(
            r#"{"booking_dates":["2026-08-23","2026-08-22T00:00:00","",null],"working_dates":[]}"#,
        );
        let shown: Vec<String> = days.unwrap().iter().map(ToString::to_string).collect();
        assert_eq!(shown, ["2026-08-22", "2026-08-23"]);
        let day = "2026-08-22".parse().unwrap();
        let times = times(
            r#"[{"time":"14:30","seance_length":3600,"datetime":1787398200},
                {"time":"9:00","datetime":"2026-08-22T09:00:00+03:00"},{"time":null}]"#,
            day,
        );
        let shown: Vec<String> = times.unwrap().iter().map(ToString::to_string).collect();
        assert_eq!(shown, ["2026-08-22 09:00:00", "2026-08-22 14:30:00"]);
    }

    #[test]
    fn what_has_another_shape_is_no_answer() {
        let day = "2026-08-22".parse().unwrap();
        for odd in [
            "[]",
            "null",
            r#"{"dates":1}"#,
            r#"{"booking_dates":"soon"}"#,
        ] {
            assert_eq!(days(odd), None, "{odd}");
        }
        for odd in [r#""soon""#, r#"["12:00"]"#] {
            assert_eq!(times(odd, day), None, "{odd}");
        }
        assert_eq!(times("[]", day), Some(Vec::new()));
    }
}
