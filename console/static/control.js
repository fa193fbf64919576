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
