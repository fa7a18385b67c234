// New cards come first, and the board is drawn again; what somebody folded stays so.
const [state, board, approve, cards] = ["state", "board", "approve", "cards"].map((id) =>
  document.getElementById(id),
);
const folds = () => [...board.querySelectorAll("details")];
const source = new EventSource(`${location.pathname}/live?after=${cards.dataset.seen}`);

source.addEventListener("open", () => {
  state.textContent = "Live.";
});
source.addEventListener("error", () => {
  state.textContent = "Not live: the connection was lost, and is tried again.";
});
source.addEventListener("trouble", (event) => {
  source.close();
  state.textContent = `Not live: ${JSON.parse(event.data).said}`;
});
source.addEventListener("card", (event) => {
  cards.insertAdjacentHTML("afterbegin", JSON.parse(event.data).html);
  const { id } = cards.firstElementChild;
  // A step is where it ran last.
  const older = `:scope > :not(:first-child)[id="${CSS.escape(id)}"]`;
  if (id) cards.querySelector(older)?.removeAttribute("id");
});
document.addEventListener("click", (event) => {
  const place = event.target.closest('a[href^="#"]')?.getAttribute("href").slice(1);
  if (!place || document.getElementById(decodeURIComponent(place))) return;
  event.preventDefault();
  state.textContent = "No step has run there yet.";
  state.scrollIntoView();
});
source.addEventListener("board", (event) => {
  const drawn = JSON.parse(event.data);
  const before = folds().map((fold) => fold.open);
  board.innerHTML = drawn.board;
  if (folds().length === before.length) {
    folds().forEach((fold, place) => (fold.open = fold.open || before[place]));
  }
  approve.hidden = !drawn.option;
  approve.textContent = `Approve ${drawn.option}`;
});
