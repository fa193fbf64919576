// Each passenger is a dot that walks from room to room. One letter says where they are.
import { svg } from "./flight-storm.js";

const ROOMS = [
  ["b", "booked", 0, 0, 2], ["c", "checked in", 210, 0, 2],
  ["o", "on board", 0, 112, 2], ["a", "arrived", 210, 112, 2],
  ["s", "with staff", 0, 224, 1], ["n", "not there", 105, 224, 1], ["t", "refund, bed", 210, 224, 1], ["f", "other end", 315, 224, 1],
];
let dots = [];

export function drawPeople(picture, letters) {
  if (dots.length !== letters.length) begin(picture, letters.length);
  const counts = new Map(), total = letters.length;
  for (const letter of letters) counts.set(letter, (counts.get(letter) ?? 0) + 1);
  const filled = new Map();
  for (let index = 0; index < total; index += 1) {
    const letter = letters[index], room = ROOMS.find(([key]) => key === letter);
    const dot = dots[index];
    if (!room) { dot.setAttribute("visibility", "hidden"); continue; }
    const [, , left, top, width] = room;
    const place = filled.get(letter) ?? 0;
    filled.set(letter, place + 1);
    const begins = width === 1 ? 44 : 34;
    const wide = width * 105 - 14, high = 114 - begins;
    const step = Math.min(9, Math.sqrt(wide * high / Math.max(1, counts.get(letter))) * 0.94);
    const columns = Math.max(1, Math.floor(wide / step));
    const x = left + 8 + (place % columns) * step, y = top + begins + Math.floor(place / columns) * step;
    dot.setAttribute("visibility", "visible");
    dot.setAttribute("class", `person p-${letter}`);
    dot.setAttribute("r", Math.max(0.8, Math.min(3.1, step * 0.36)));
    dot.style.transform = `translate(${x}px, ${y}px)`;
  }
  for (const [key] of ROOMS) picture.querySelector(`#count-${key}`).textContent = (counts.get(key) ?? 0).toLocaleString("en");
}

function begin(picture, total) {
  picture.replaceChildren();
  for (const [key, words, left, top, width] of ROOMS) {
    picture.append(
      svg("rect", { class: "room", x: left, y: top, width: width * 105 - 6, height: 106, rx: 8 }),
      svg("text", { id: `count-${key}`, class: "count", x: left + 8, y: top + 19 }, "0"),
      // In a narrow room the words stand below the figure: three digits leave no place beside it.
      width === 1
        ? svg("text", { x: left + 8, y: top + 33, class: "narrow" }, words)
        : svg("text", { x: left + width * 105 - 14, y: top + 19, "text-anchor": "end" }, words));
  }
  dots = Array.from({ length: total }, () => svg("circle", { class: "person", r: 3, visibility: "hidden" }));
  picture.append(...dots);
}
