// Every departure is a mark. It waits under the ground line at its time; it rises as high as it is late when it leaves;
// it stays below, filled, when it is cancelled. So a storm is what piles up and never leaves.
const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 1200, GROUND = 200, LEFT = 62, RIGHT = 24, STEP = 6.9, BIN = 10, RISE = 6.2, FLOOR = 352;

export function svg(tag, attributes = {}, text = "") {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  if (text) node.textContent = text;
  return node;
}

const clock = (minutes) => `${String(Math.floor(minutes / 60) % 24).padStart(2, "0")}:${String(minutes % 60).padStart(2, "0")}`;
const height = (delay) => GROUND - 9 - RISE * Math.sqrt(Math.max(0, Math.min(delay, 780) + 14));

export function newStorm(picture, day) {
  const across = (minutes) => LEFT + (minutes - day.begins) / (day.ends - day.begins) * (WIDTH - LEFT - RIGHT);
  picture.replaceChildren(...grid(day, across));
  const night = svg("rect", { class: "night", x: -WIDTH, y: 0, width: WIDTH, height: FLOOR });
  const now = svg("line", { class: "now", x1: 0, x2: 0, y1: 8, y2: FLOOR });
  picture.append(night);
  const bins = day.flights.map((flight) => Math.floor(flight.departs / BIN)), piles = new Map(), heights = new Map();
  for (const bin of bins) heights.set(bin, (heights.get(bin) ?? 0) + 1);
  const marks = day.flights.map((flight, index) => {
    const bin = bins[index];
    const pile = piles.get(bin) ?? 0;
    piles.set(bin, pile + 1);
    const home = [across(bin * BIN + BIN / 2), GROUND + 8 + pile * Math.min(STEP, (FLOOR - GROUND - 12) / heights.get(bin))];
    const node = svg("circle", { class: "mark", r: 2.7 });
    node.style.transform = `translate(${home[0]}px, ${home[1]}px)`;
    node.append(svg("title", {}, told(flight, "planned", 0)));
    picture.append(node);
    return { flight, node, home };
  });
  const ring = svg("circle", { class: "ring", r: 8, visibility: "hidden" });
  picture.append(now, ring);
  return {
    move(changes, minutes, followed) {
      for (const [index, status, delay] of changes) place(marks[index], status, delay, across);
      const x = across(Math.max(day.begins, Math.min(minutes, day.ends)));
      now.style.transform = night.style.transform = `translateX(${x}px)`;
      const mark = marks.find((each) => each.flight.flight === followed);
      ring.setAttribute("visibility", mark ? "visible" : "hidden");
      if (mark) ring.style.transform = mark.node.style.transform;
    },
  };
}

function place(mark, status, delay, across) {
  const { flight, node, home } = mark;
  const gone = status === "departed" || status === "landed";
  const [x, y] = gone ? [across(flight.departs), height(delay)] : home;
  node.style.transform = `translate(${x}px, ${y}px)`;
  const how = gone ? (delay >= 15 ? "delayed" : "ontime") : { cancelled: "cancelled", delayed: "announced" }[status] ?? "";
  node.setAttribute("class", `mark ${how}`);
  node.setAttribute("r", how === "cancelled" ? 3.3 : 2.7);
  node.firstChild.textContent = told(flight, status, delay);
}

function told(flight, status, delay) {
  const late = delay >= 1 ? `, ${delay} min late` : "";
  return `${flight.number} ${flight.origin} → ${flight.to}, ${clock(flight.departs)}: ${status}${late}`;
}

function* grid(day, across) {
  for (let hour = Math.ceil(day.begins / 60); hour * 60 <= day.ends; hour += 1) {
    const x = across(hour * 60);
    yield svg("line", { class: "line", x1: x, x2: x, y1: 8, y2: FLOOR });
    yield svg("text", { x, y: FLOOR + 17, "text-anchor": "middle" }, clock(hour * 60));
  }
  for (const [delay, words] of [[15, "15 min"], [60, "1 h late"], [180, "3 h"], [360, "6 h"], [720, "12 h"]]) {
    yield svg("line", { class: "line", x1: LEFT, x2: WIDTH - RIGHT, y1: height(delay), y2: height(delay), "stroke-dasharray": "2 5" });
    yield svg("text", { x: LEFT - 6, y: height(delay) + 4, "text-anchor": "end" }, words);
  }
  yield svg("line", { class: "ground", x1: LEFT, x2: WIDTH - RIGHT, y1: GROUND, y2: GROUND });
  yield svg("text", { class: "zone", x: LEFT - 6, y: GROUND + 16, "text-anchor": "end" }, "not left");
}
