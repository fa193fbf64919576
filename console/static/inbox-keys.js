// The inbox by keyboard. Single keys can be switched off (WCAG 2.1.4), and never work where somebody types.

const help = document.getElementById("help"), on = document.getElementById("keys-on");
const opener = document.getElementById("help-opens");
const page = document.body.dataset.page;

on.checked = localStorage.getItem("inbox-keys") !== "off";
on.addEventListener("change", () => localStorage.setItem("inbox-keys", on.checked ? "on" : "off"));
opener.hidden = false;
opener.addEventListener("click", () => help.showModal());

const rows = () => [...document.querySelectorAll(".case")];
const here = () => document.querySelector(".case.here") ?? document.activeElement?.closest(".case");

function go(step) {
  const all = rows(), at = all.indexOf(here());
  const next = all[Math.min(Math.max(at < 0 ? 0 : at + step, 0), all.length - 1)];
  if (!next) return;
  for (const each of all) each.classList.toggle("here", each === next);
  next.querySelector("a.open").focus();
  next.scrollIntoView({ block: "nearest" });
}

function path(row) { return row.querySelector("a.open").getAttribute("href"); }

function claim() {
  if (page === "case") { document.getElementById("act-claim")?.click(); return; }
  const row = here(), form = document.getElementById("claim");
  if (!row || !form) return;
  form.action = `${path(row)}/claim`;
  form.submit();
}

/** Open a part of the page of a case and go to its first field; from the list, on that page. */
function part(name) {
  if (page === "list") { const row = here(); if (row) location.href = `${path(row)}#${name}`; return; }
  const found = document.getElementById(name);
  if (!found) return;
  if (found.matches("details")) found.open = true;
  const field = found.matches("textarea") ? found : name === "decide" ? found.querySelector("summary") : found.querySelector("select, input:not([type=hidden])");
  field?.focus();
  found.scrollIntoView({ block: "nearest" });
}

const DOES = {
  j: () => go(1), k: () => go(-1), c: claim, s: () => part("snooze"), d: () => part("decide"), n: () => part("note"), w: () => part("letter"),
  u: () => { location.href = "/staff"; }, "/": () => { const q = document.getElementById("q"); if (q) q.focus(); else location.href = "/staff#q"; },
  "?": () => help.showModal(),
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || help.open || !on.checked) return;
  if (event.target.matches("input, textarea, select, [contenteditable]")) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  const does = DOES[event.key];
  if (!does) return;
  event.preventDefault();
  does();
});
document.addEventListener("focusin", (event) => {
  const row = event.target.closest?.(".case");
  if (row) for (const each of rows()) each.classList.toggle("here", each === row);
});
if (location.hash.length > 1) part(location.hash.slice(1));
if (location.hash === "#q") document.getElementById("q")?.focus();
