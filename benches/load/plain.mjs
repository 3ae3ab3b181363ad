// Poll, insert, send: what a salon's own script does. Prints the most memory it had, in MB.
import { closeSync, fsyncSync, openSync, writeSync } from "node:fs";

const [url, company, folder, wanted] = process.argv.slice(2);
const log = openSync(`${folder}/plain.jsonl`, "a");
const seen = new Set();

async function ask(path, body) {
  const headers = { "Content-Type": "application/json" };
  const method = body ? "POST" : "GET";
  const answer = await fetch(url + path, { method, headers, body: body && JSON.stringify(body) });
  return answer.json();
}

function keep(line) {
  writeSync(log, JSON.stringify(line) + "\n");
  fsyncSync(log);
}

let told = 0;
while (told < Number(wanted)) {
  const rows = [];
  for (let page = 1; ; page++) {
    const query = new URLSearchParams({ page, count: 300, changed_after: "2000-01-01T00:00:00" });
    const answer = await ask(`/records/${company}?${query}`);
    rows.push(...answer.data);
    if (rows.length >= answer.meta.total_count) break;
  }
  for (const row of rows) {
    if (seen.has(row.id)) continue;
    seen.add(row.id);
    keep({ booking: row });
    const services = row.services.map((service) => service.title).join(", ");
    const text = `Вы записаны: ${row.date}, ${services}, ${row.staff.name}`;
    await ask("/send", { to: row.client.phone.replace("+", ""), text });
    keep({ sent: row.id });
    if (++told === Number(wanted)) break;
  }
}
closeSync(log);
console.log(process.resourceUsage().maxRSS / 1024);
