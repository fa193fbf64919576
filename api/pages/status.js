// The status page of a run stays as it is: where something changed, its middle is put in place.
"use strict";
const middle = document.getElementById("standing");
const said = document.getElementById("kept-up");
const source = new EventSource(location.pathname + "/events" + location.search);
source.addEventListener("standing", (event) => {
  const news = JSON.parse(event.data);
  document.title = news.title;
  document.querySelector("h1").textContent = news.title;
  middle.innerHTML = news.middle;
  said.textContent = news.said;
  if (news.ended) source.close();
});
// It comes back by itself, unless it was turned away: then the page is asked for again a minute later.
source.addEventListener("error", () => {
  if (source.readyState === EventSource.CLOSED) setTimeout(() => location.reload(), 60000);
});
