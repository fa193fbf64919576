// The slider over time: so many hours back, and what is shown is as it was then.

const back = document.getElementById("back"), then = document.getElementById("then");

if (back && then) {
  back.hidden = false;
  const now = new Date(`${back.dataset.now}Z`);
  const told = () => {
    const hours = Number(back.value);
    then.value = hours ? new Date(now - hours * 3600000).toISOString().slice(0, 16) : "";
    back.setAttribute("aria-valuetext", hours ? `${hours} hours back, ${then.value} UTC` : "now");
  };
  back.addEventListener("input", told);
  back.addEventListener("change", () => back.form.requestSubmit());
}

// The source is checked as one types: once for a while of rest, and the newest answer counts.

const draft = document.getElementById("draft");

if (draft) {
  const source = document.getElementById("source");
  let resting, asked = 0;
  const check = async () => {
    const mine = ++asked, told = new FormData(draft);
    told.set("act", "check");
    told.delete("scenarios");
    try {
      const answer = await fetch(draft.action, { method: "POST", body: told, headers: { "X-Requested-By": "control" } });
      if (!answer.ok || mine !== asked) return;
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("found");
      if (fresh) { document.getElementById("found").replaceChildren(...fresh.childNodes); document.body.dataset.checked = `${mine}`; }
    } catch { /* the network is away: the next key tries again, and so does the button */ }
  };
  draft.addEventListener("submit", (event) => {
    const plays = document.getElementById("scenarios").value.trim() ? ["month", "stories", "publish"] : ["month", "stories"];
    const trying = plays.includes(event.submitter?.value);
    if (trying && draft.dataset.trying) return event.preventDefault();
    if (trying) { draft.dataset.trying = "yes"; document.getElementById("trying").hidden = false; }
  });
  addEventListener("pageshow", () => { delete draft.dataset.trying; document.getElementById("trying").hidden = true; });
  source.addEventListener("input", () => { clearTimeout(resting); resting = setTimeout(check, 400); });
}
