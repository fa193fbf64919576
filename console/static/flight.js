// The demo's page: hears days and scenes from the server and lays them out. Text goes in as text, never as markup.
import { drawPeople } from "./flight-people.js";
import { drawPassenger } from "./flight-passenger.js";
import { newStorm } from "./flight-storm.js";
import { drawOutage, drawReport } from "./flight-report.js";

const at = (id) => document.getElementById(id);
let day = null, storm = null, flights = [], shownMails = "";

export function make(tag, properties = {}, ...children) {
  const node = document.createElement(tag);
  Object.assign(node, properties);
  node.append(...children);
  return node;
}

export async function order(what, body) {
  const answer = await fetch(`/demo/${what}`, {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body ?? {}),
  });
  if (answer.ok) return "";
  const said = await answer.json().catch(() => ({}));
  return typeof said.detail === "string" ? said.detail : "That did not work.";
}

function begin(given) {
  day = given;
  flights = day.flights.map(() => ["planned", 0]);
  storm = newStorm(at("storm"), day);
  at("title").textContent = day.title;
  at("note").textContent = day.note;
  at("control").hidden = !day.control;
  if (day.control) at("control").replaceChildren(
    make("a", { href: day.control.address, target: "_blank", rel: "noopener", textContent: "Mission control of this day" }),
    ": sign in as ", make("code", { textContent: day.control.member }), " with ", make("code", { textContent: day.control.password }));
  document.body.dataset.engine = day.engine;
}

function counters(given) {
  at("counters").replaceChildren(...given.map(([words, figure, more]) =>
    make("li", {}, make("b", { textContent: figure.toLocaleString("en") }), make("span", { textContent: words }),
      " ", make("small", { textContent: more }))));
}

function mails(scene) {
  at("reasons").replaceChildren(...Object.entries(scene.reasons).map(([reason, count]) =>
    make("span", { className: reason === "sent" ? "sent" : "", textContent: `${reason.replaceAll("_", " ")} ${count.toLocaleString("en")}` })));
  const now = JSON.stringify(scene.mails);
  if (now === shownMails) return;
  shownMails = now;
  const keys = scene.mails.map((mail) => `${mail.at} ${mail.to} ${mail.subject} ${mail.href}`), wanted = new Set(keys);
  for (const line of [...at("mails").children]) if (!wanted.has(line.dataset.key)) line.remove();
  // Lines that are there stay where they are: taken out and put in again, each would come anew.
  let line = at("mails").firstElementChild;
  scene.mails.forEach((mail, index) => {
    if (line?.dataset.key === keys[index]) line = line.nextElementSibling;
    else at("mails").insertBefore(mailLine(mail, keys[index]), line);
  });
  while (at("mails").childElementCount > keys.length) at("mails").lastElementChild.remove();
}

function mailLine(mail, key) {
  const subject = mail.href ? make("a", { href: mail.href, target: "_blank", rel: "noopener", textContent: mail.subject }) : mail.subject;
  const line = make("li", {}, make("time", { textContent: mail.at }), make("div", {}, make("b", {}, subject), make("small", { textContent: mail.to })));
  line.dataset.key = key;
  return line;
}

function board(now) {
  const clock = (minutes) => `${String(Math.floor(minutes / 60) % 24).padStart(2, "0")}:${String(minutes % 60).padStart(2, "0")}`;
  const rows = day.flights.map((flight, index) => [flight, ...flights[index]])
    .filter(([flight, status]) => flight.departs >= now - (status === "cancelled" ? 5 : 10) && status !== "landed").slice(0, 7);
  at("board-title").hidden = rows.length === 0;
  at("board").replaceChildren(...rows.map(([flight, status, minutes]) => {
    const said = { cancelled: ["cancelled", "cancelled"], departed: ["left", "gone"], delayed: [clock(flight.departs + minutes), "late"] }[status] ?? ["on time", ""];
    return make("tr", {}, make("td", { textContent: clock(flight.departs) }), make("td", { textContent: flight.number }),
      make("td", { textContent: `${flight.origin} → ${flight.to}` }), make("td", { textContent: said[0], className: said[1] }));
  }));
}

function show(scene) {
  document.body.dataset.phase = scene.phase;
  at("words").textContent = scene.words;
  at("clock").textContent = scene.clock || "--:--";
  const late = scene.late_p99 >= 1 ? ` · behind ${scene.late_p50.toFixed(1)} s, p99 ${scene.late_p99.toFixed(1)} s` : "";
  at("pace").textContent = scene.factor ? `× ${Math.round(scene.factor)}${late}` : "";
  at("kill").disabled = scene.phase !== "flying";
  if (day) {
    for (const [index, status, minutes] of scene.flights) flights[index] = [status, minutes];
    storm.move(scene.flights, scene.minutes, scene.followed?.flight ?? "");
    board(scene.minutes);
  }
  at("kill").title = "kill -9: workers, router, API, mailbox, Temporal and PostgreSQL";
  if (scene.people) drawPeople(at("people"), scene.people);
  counters(scene.counters);
  mails(scene);
  drawPassenger(scene.followed);
  drawOutage(at("outage"), scene);
  drawReport(at("report"), scene.report);
}

const source = new EventSource("/demo/scenes");
source.addEventListener("day", (event) => begin(JSON.parse(event.data)));
source.addEventListener("scene", (event) => show(JSON.parse(event.data)));
source.onerror = () => {
  if (document.body.dataset.phase === "over") source.close();
  else at("words").textContent = "The demo has ended, or is out of reach.";
};

at("kill").addEventListener("click", async () => {
  at("kill").disabled = true;
  const refused = await order("kill");
  if (refused) at("words").textContent = refused;
});
