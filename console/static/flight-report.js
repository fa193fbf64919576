// What was killed and what it cost; and the account of the day.
import { make } from "./flight.js";

let shownOutage = "", shownReport = "";

export function drawOutage(place, scene) {
  const { outage } = scene, now = JSON.stringify(outage);
  if (now === shownOutage) return;
  shownOutage = now;
  place.hidden = !outage;
  if (!outage) return;
  const counted = outage.lost !== null;
  place.className = counted ? "back" : "";
  const parts = make("ul", { className: "parts" }, ...outage.killed.map((part) =>
    make("li", { textContent: part, className: outage.back.includes(part) ? "back" : "" })));
  const verdict = counted ? [make("div", { className: "verdict" }, ...figures(outage))] : [];
  const head = counted
    ? `Everything was killed at ${outage.at} and was back after ${outage.seconds.toFixed(1)} s${outage.caught_up ? `, and up with the day after ${outage.caught_up.toFixed(1)} s` : "; it catches up with the day"}. Counted in the database and in the mailbox's own journal:`
    : `Everything is dead: kill -9 at ${outage.at}. The supervisor brings it back.`;
  place.replaceChildren(make("strong", { textContent: head }), ...(counted ? verdict : [parts]));
}

function figures(outage) {
  return [["lost", outage.lost, "touchpoints"], ["twice", outage.twice, "mails"], ["unknown", outage.unknown, "mails, and shown as such"]]
    .map(([words, count, more]) => make("span", {}, make("b", { textContent: count, id: `outage-${words}` }), `${words} `, make("small", { textContent: more })));
}

export function drawReport(place, report) {
  const now = JSON.stringify(report);
  if (now === shownReport) return;
  shownReport = now;
  place.hidden = !report;
  if (!report) return;
  place.className = report.balances ? "" : "unbalanced";
  const lines = make("dl", {}, ...report.lines.flatMap((line) => [
    make("dt", { textContent: line.figure }), make("dd", {}, `${line.words} `, make("small", { textContent: line.more }))]));
  const commands = make("ul", {}, ...report.commands.map(([command, words]) =>
    make("li", {}, make("code", { textContent: command }), make("br"), make("small", { textContent: words }))));
  place.replaceChildren(make("strong", { textContent: report.sentence }), make("div", { className: "grid" },
    make("div", {}, make("h2", { textContent: "The account" }), lines),
    make("div", {}, make("h2", { textContent: "Why not?" }), make("p", { textContent: report.why_not }),
      make("h2", { textContent: "The same day, run naively" }), make("p", { textContent: report.naive })),
    make("div", {}, make("h2", { textContent: "Try next" }), commands)));
}
