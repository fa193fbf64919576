// The passenger who is followed: promises that move, a case to decide, and what happened, newest first.
import { make, order } from "./flight.js";

const at = (id) => document.getElementById(id);
const WORDS = { open: "open", kept: "kept", late: "late", kept_late: "kept, late", broken: "broken", dropped: "dropped" };
let shown = "";
const ordered = new Map();

export function drawPassenger(followed) {
  const now = JSON.stringify(followed);
  if (!followed || now === shown) return;
  shown = now;
  at("followed-name").textContent = followed.name;
  at("followed-where").textContent = [followed.itinerary, followed.stage, followed.waits_for && `waits for ${followed.waits_for}`].filter(Boolean).join(" · ");
  at("promises").replaceChildren(...followed.promises.map(promise));
  at("cases").replaceChildren(...followed.cases.map(caseCard));
  at("moments").replaceChildren(...followed.moments.toReversed().map(moment));
  at("links").replaceChildren(...[
    followed.run_url && make("a", { href: followed.run_url, target: "_blank", rel: "noopener", textContent: "This run in the Temporal Web UI" }),
    followed.mails_url && make("a", { href: followed.mails_url, target: "_blank", rel: "noopener", textContent: "Their mailbox" }),
  ].filter(Boolean));
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
