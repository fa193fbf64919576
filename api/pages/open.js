// What stands behind the # of a link is sent by no browser: it goes to us in the body of the form that waits for it.
"use strict";
const form = document.querySelector("form[data-opens]");
function handOver() {
  const told = location.hash.slice(1);
  if (!told || !form) return;
  form.elements.link.value = told;
  if (form.hidden) {
    form.hidden = false;
    return;
  }
  history.replaceState(null, "", location.pathname + location.search);
  form.submit();
}
handOver();
addEventListener("hashchange", handOver);
