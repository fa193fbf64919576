// The inbox as it changes: deadlines count down, and what is new comes in by server-sent events.

const SOON_MS = 30 * 60 * 1000;
const CALM_MS = 2000; // however much happens, a page is fetched anew this often at most

/** `in 2 h 5 min`, `4 min late`: as console/inbox_words.py tells it. */
function left(ms) {
  const minutes = Math.floor(Math.abs(ms) / 60000);
  const days = Math.floor(minutes / 1440), hours = Math.floor((minutes % 1440) / 60);
  let length = `${minutes} min`;
  if (days) length = hours ? `${days} d ${hours} h` : `${days} d`;
  else if (hours) length = minutes % 60 ? `${hours} h ${minutes % 60} min` : `${hours} h`;
  return ms > 0 ? `in ${length}` : `${length} late`;
}

function sign() {
  const made = document.createElement("span");
  made.className = "sign";
  made.setAttribute("aria-hidden", "true");
  made.textContent = "!";
  return made;
}

function tick() {
  for (const time of document.querySelectorAll("time[data-left]")) {
    const ms = new Date(time.dateTime) - Date.now();
    const said = left(ms);
    if (time.textContent !== said) time.textContent = said;
    const how = ms <= 0 ? "over" : ms <= SOON_MS ? "soon" : "fine";
    const due = time.closest(".due");
    if (due && !due.classList.contains(how)) {
      due.classList.remove("over", "soon", "fine");
      due.classList.add(how);
      const row = time.closest(".case");
      if (row) { row.classList.remove("over", "soon", "fine"); row.classList.add(how); }
      if (how === "over" && !due.querySelector(".sign")) time.before(sign());
    }
  }
}

let fetching = false, again = false, last = 0;

/** Put what is new in place of what was: only parts that are marked, and never where somebody types. */
async function renew() {
  if (fetching) { again = true; return; }
  fetching = true;
  const wait = last + CALM_MS - Date.now();
  if (wait > 0) await new Promise((done) => setTimeout(done, wait));
  try {
    const answer = await fetch(location.href, { headers: { "X-Requested-By": "inbox" } });
    if (answer.status === 401) { location.reload(); return; }
    if (!answer.ok) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    const marked = document.querySelector(".case.here")?.dataset.case;
    const focused = document.activeElement?.closest(".case")?.dataset.case;
    for (const part of document.querySelectorAll("[data-live]")) {
      const now = fresh.querySelector(`[data-live="${part.dataset.live}"]`);
      if (!now || part.innerHTML === now.innerHTML) continue;
      if (part.contains(document.activeElement) && document.activeElement.matches("input, textarea, select")) continue;
      part.replaceChildren(...now.childNodes);
    }
    const find = (name) => name && [...document.querySelectorAll(".case")].find((each) => each.dataset.case === name);
    find(marked)?.classList.add("here");
    find(focused)?.querySelector("a.open").focus({ preventScroll: true });
    document.dispatchEvent(new CustomEvent("renewed"));
    tick();
  } catch { /* the network is away: the stream comes back, and then this does */ } finally {
    fetching = false;
    last = Date.now();
    document.body.dataset.renewed = "yes";
    if (again) { again = false; renew(); }
  }
}

function listen() {
  const address = document.body.dataset.events;
  if (!address) return;
  const source = new EventSource(address);
  source.addEventListener("here", renew); // what changed since this page was made, or while the line was broken
  source.addEventListener("changed", renew);
  source.addEventListener("writing", (event) => {
    const names = JSON.parse(event.data), shown = document.getElementById("writing");
    if (!shown) return;
    shown.hidden = !names.length;
    shown.textContent = names.length ? `${names.join(", ")} ${names.length === 1 ? "is" : "are"} writing` : "";
  });
  // A browser comes back by itself after a break in the line, but not after an answer that says no.
  source.addEventListener("error", () => {
    if (source.readyState === EventSource.CLOSED) setTimeout(() => { renew(); listen(); }, 5000 + Math.random() * 5000);
  });
  addEventListener("pagehide", () => source.close());
  addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
}

/** Tell the others that somebody writes here. */
function tell() {
  const path = document.body.dataset.path;
  if (!path) return;
  let told = 0, writes = false;
  const send = (stops) => fetch(`${path}/writing`, {
    method: "POST", keepalive: true,
    body: new URLSearchParams({ csrf: document.body.dataset.csrf, ...(stops ? { stops: "yes" } : {}) }),
  }).catch(() => {});
  document.addEventListener("input", (event) => {
    if (!event.target.closest("main form")) return;
    writes = true;
    if (Date.now() - told > 5000) { told = Date.now(); send(false); }
  });
  addEventListener("pagehide", () => { if (writes) send(true); });
}

/** A telephone opens /staff/new#customer=+420…: who calls goes into the form, and stands in no log. */
function fill() {
  const field = document.getElementById("customer");
  const told = /^#customer=(.+)$/.exec(location.hash);
  if (!field || !told) return;
  field.value = decodeURIComponent(told[1]);
  history.replaceState(null, "", location.pathname);
}

fill();
addEventListener("hashchange", fill);
tick();
setInterval(tick, 5000);
listen();
tell();
