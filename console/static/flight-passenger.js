// The passenger who is followed: promises that move, a case to decide, and what happened, newest first.
import { make, order } from "./flight.js";

const at = (id) => document.getElementById(id);
const WORDS = { open: "open", kept: "kept", late: "late", kept_late: "kept, late", broken: "broken", dropped: "dropped" };
let shown = "";
const ordered = new Map();
const drawn = new WeakMap();

// What did not change stays as it is: a click finds its button, a list keeps its place.
function keep(place, values, draw) {
  const known = drawn.get(place) ?? new Map(), now = new Map();
  const nodes = values.map((value) => {
    const key = JSON.stringify(value);
    now.set(key, known.get(key) ?? draw(value));
    return now.get(key);
  });
  drawn.set(place, now);
  const same = nodes.length === place.children.length && nodes.every((node, index) => node === place.children[index]);
  if (!same) place.replaceChildren(...nodes);
}

export function drawPassenger(followed) {
  const now = JSON.stringify(followed);
  if (!followed || now === shown) return;
  shown = now;
  at("followed-name").textContent = followed.name;
  at("followed-where").textContent = [followed.itinerary, followed.stage, followed.waits_for && `waits for ${followed.waits_for}`].filter(Boolean).join(" · ");
  keep(at("promises"), followed.promises, promise);
  keep(at("cases"), followed.cases, caseCard);
  keep(at("moments"), followed.moments.map((given, index) => ({ ...given, index })).toReversed(), moment);
  keep(at("links"), [["This run in the Temporal Web UI", followed.run_url], ["Their mailbox", followed.mails_url]].filter(([, href]) => href),
    ([textContent, href]) => make("a", { href, target: "_blank", rel: "noopener", textContent }));
}

function promise(given) {
  return make("div", { className: `promise ${given.state}` }, make("span", { textContent: given.words }),
    ...given.was.map((by) => make("s", { textContent: by })), make("b", { textContent: given.by && `by ${given.by}` }),
    make("em", { textContent: WORDS[given.state] ?? given.state, title: given.reason }),
    ...(given.reason ? [make("small", { textContent: given.reason })] : []));
}

function caseCard(given) {
  const open = given.state === "open" || given.state === "claimed";
  const said = make("p", { className: "said", textContent: ordered.get(given.case) ?? "" });
  const buttons = given.decisions.map((decision) => {
    const button = make("button", { type: "button", textContent: decision.title, disabled: ordered.get(given.case) === "Deciding …" });
    button.dataset.decision = decision.name;
    button.addEventListener("click", async () => {
      ordered.set(given.case, "Deciding …");
      for (const each of buttons) each.disabled = true;
      said.textContent = "Deciding …";
      const refused = await order("decide", { case: given.case, decision: decision.name });
      ordered.set(given.case, refused);
      said.textContent = refused;
      for (const each of buttons) each.disabled = refused === "";
    });
    return button;
  });
  const head = open ? `A case for ${given.queue}: you decide` : `A case for ${given.queue}: ${given.decided || given.state}`;
  return make("div", { className: open ? "case open" : "case" }, make("strong", { textContent: head }),
    make("p", { textContent: given.brief }), ...(open ? [make("div", { className: "buttons" }, ...buttons), said] : []));
}

function moment(given) {
  const words = given.href ? make("a", { href: given.href, target: "_blank", rel: "noopener", textContent: given.words }) : given.words;
  return make("li", { className: given.kind }, make("time", { textContent: given.at }), make("i"), make("span", {}, words));
}
