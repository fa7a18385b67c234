/* JupyterLab's panels for responders, written by hand: it needs no build.
 *
 * JupyterLab loads this file as a module-federation container: it hands over its own modules in
 * `init` and asks for the plugin in `get`. All HTML comes escaped from the server. */
(() => {
  "use strict";

  const POLL_MS = 2000;
  const LIST_POLL_MS = 15000;
  const FREEING_TRIES = 60;
  const FREEING_PAUSE_MS = 1000;
  // So long the outputs above a question may still grow, and push it out of sight.
  const SIGHT_MS = 10000;
  const SIGHT_PAUSE_MS = 150;
  // Below this width, as in a window at 200 %, panels would leave the notebook no room.
  const ROOM_FOR_PANELS_PX = 1000;
  const UNOPENED =
    "The first cells of this copy do more than open the incident, so they were not run. " +
    "Look at them, and run them yourself.";
  const FOCUSABLE = "a, button, summary";
  const SHOWN = ["stream", "display_data", "execute_result", "error"];
  let shared;

  /** Return one of JupyterLab's own modules; the newest, as there is one of each. */
  async function module_(name) {
    const versions = shared[name];
    const factory = await Object.values(versions)[0].get();
    return factory();
  }

  function plugin(modules) {
    const { ILabShell, INotebookTracker, NotebookActions, ServerConnection } = modules;
    const { PageConfig, URLExt, Widget } = modules;
    const settings = ServerConnection.makeSettings();
    const address = (place) => URLExt.join(settings.baseUrl, "runbook", place);

    /** Ask the server; throws an Error with the server's own words. */
    async function ask(place, init = {}) {
      const reply = await ServerConnection.makeRequest(address(place), init, settings);
      const told = await reply.json();
      if (!reply.ok) throw new Error(told.message || reply.statusText);
      return told;
    }

    /** Make a side panel that shows what the server draws. */
    function panel(id, title, caption) {
      const widget = new Widget();
      widget.id = id;
      widget.addClass("rb-panel");
      widget.title.label = title;
      widget.title.caption = caption;
      widget.node.setAttribute("role", "region");
      widget.node.setAttribute("aria-label", caption);
      return widget;
    }

    /** Show HTML in a node, and keep what the reader has folded, scrolled to and focused. */
    function draw(node, html) {
      if (node.dataset.drawn === html) return;
      const folds = [...node.querySelectorAll("details")].map((fold) => fold.open);
      const same = node.dataset.incident === node.dataset.shown;
      const top = node.scrollTop;
      // A list that is pulled down, or a text half written, must not go under the hand.
      const fields = [...node.querySelectorAll("textarea, input[type=text]")];
      const written = fields.some((field) => field.value);
      const active = node.contains(document.activeElement) && document.activeElement;
      if (written || (active && active.matches("select, textarea, input"))) return;
      const focused = [...node.querySelectorAll(FOCUSABLE)].indexOf(document.activeElement);
      node.innerHTML = html;
      node.dataset.drawn = html;
      if (same) {
        node.querySelectorAll("details").forEach((fold, place) => {
          fold.open = fold.open || Boolean(folds[place]);
        });
        node.scrollTop = top;
      }
      node.querySelectorAll(FOCUSABLE)[focused]?.focus({ preventScroll: true });
      node.dataset.shown = node.dataset.incident;
    }

    /** Say something at the top of a panel, in the place of what was said before. */
    function tell(widget, text, { role = "status" } = {}) {
      widget.node.querySelectorAll(".rb-trouble").forEach((old) => old.remove());
      if (!text) return;
      const said = document.createElement("p");
      said.className = "rb-trouble";
      said.setAttribute("role", role);
      said.textContent = text;
      widget.node.prepend(said);
    }

    const complain = (widget, error) => tell(widget, error.message, { role: "alert" });

    return {
      id: "runbook-nb:responder",
      autoStart: true,
      requires: [ILabShell, INotebookTracker],
      activate: (app, shell, tracker) => {
        const style = document.createElement("link");
        style.rel = "stylesheet";
        style.href = address("cards.css");
        document.head.append(style);

        const lists = [];
        // What is to be said of a copy until a step of it runs, and which options it folds.
        const sayings = new Map();
        const folded = new WeakMap();
        const openings = new WeakSet();
        const atTheSide = listPanel("runbook-shelf");
        const board = panel("runbook-board", "Where am I", "Where am I: the board of the incident");
        const drawn = document.createElement("div");
        const controls = document.createElement("div");
        board.node.append(drawn, controls);
        shell.add(atTheSide, "left", { rank: 1 });
        shell.add(board, "right", { rank: 1 });

        // A zoom makes the window narrow, and nobody who types may lose the box by it.
        const narrow = window.matchMedia(`(max-width: ${ROOM_FOR_PANELS_PX - 1}px)`);
        narrow.addEventListener("change", () => {
          if (narrow.matches) {
            giveRoom();
          } else if (shell.currentWidget?.content?.widgets) {
            shell.expandLeft();
            shell.expandRight();
          }
        });

        /** Fold both sides: the board stands in the notebook too, and the words need the room. */
        function giveRoom() {
          shell.collapseLeft();
          shell.collapseRight();
        }

        /** Make a list of runbooks and open incidents. */
        function listPanel(id) {
          const list = panel(id, "Runbooks", "Runbooks and open incidents");
          list.node.addEventListener("click", (event) => void openClicked(list, event));
          list.onAfterShow = () => void refreshList(list);
          lists.push(list);
          return list;
        }

        /** Give the list the room of a notebook, for who has not opened one. */
        function showList() {
          const list = listPanel("runbook-list");
          shell.add(list, "main");
          giveRoom();
          void refreshList(list);
        }

        async function refreshList(list) {
          if (!list.isVisible || document.hidden) return;
          try {
            draw(list.node, (await ask("shelf")).html);
          } catch (error) {
            complain(list, error);
          }
        }

        async function refreshBoard() {
          const notebook = tracker.currentWidget;
          const path = notebook?.context.path;
          if (!board.isVisible || document.hidden) return;
          if (!path) {
            draw(drawn, "<p>Open a runbook: its incident's board stands here.</p>");
            draw(controls, "");
            return;
          }
          try {
            const told = await ask(`board?path=${encodeURIComponent(path)}`);
            if (tracker.currentWidget?.context.path !== path) return;
            drawn.dataset.incident = controls.dataset.incident = told.incident;
            draw(drawn, told.html);
            draw(controls, told.controls);
            const asks = notebook.content.node.querySelector(".jp-Stdin") ? "" : told.asked;
            tell(board, sayings.get(path) || asks);
            foldPassedOver(notebook, told.passed_over);
          } catch (error) {
            complain(board, error);
          }
        }

        /** Fold the options that were not chosen, once for each choice; the reader may unfold. */
        function foldPassedOver(notebook, anchors) {
          if (folded.get(notebook) === anchors) return;
          const before = (folded.get(notebook) ?? "").split("\n");
          folded.set(notebook, anchors);
          const passed = anchors.split("\n").filter(Boolean);
          for (const cell of notebook.content.widgets) {
            if (!isText(cell) || !cell.headings) continue;
            const its = cell.headings.map((heading) => anchorOf(heading.text));
            const folds = its.some((anchor) => passed.includes(anchor));
            if (folds) cell.headingCollapsed = true;
            else if (its.some((anchor) => before.includes(anchor))) cell.headingCollapsed = false;
          }
        }

        /** Do what a form of the board says, and show what was done. */
        async function submitted(event) {
          event.preventDefault();
          const form = event.target;
          const notebook = tracker.currentWidget;
          const button = form.querySelector("button");
          const words = Object.fromEntries(new FormData(form));
          const asked = { path: notebook?.context.path, does: form.dataset.does, words };
          button.disabled = true;
          try {
            if (asked.does === "close") await notebook.context.save();
            const told = await ask("do", { method: "POST", body: JSON.stringify(asked) });
            form.reset();
            form.closest("details").open = false;
            sayings.set(asked.path, told.said);
            await refreshBoard();
          } catch (error) {
            complain(board, error);
          } finally {
            button.disabled = false;
          }
        }

        /** Run a step that no cell has, in a cell of its own below the one that is selected. */
        async function runStep(source) {
          const notebook = tracker.currentWidget;
          if (!notebook) return;
          NotebookActions.insertBelow(notebook.content);
          notebook.content.activeCell.model.sharedModel.setSource(source);
          notebook.activate();
          await NotebookActions.run(notebook.content, notebook.sessionContext);
        }

        /** Open what a button in a list stands for. */
        async function openClicked(list, event) {
          const button = event.target.closest("button[data-runbook], button[data-incident]");
          if (!button || button.disabled) return;
          const environment = list.node.querySelector("select[name=environment]")?.value;
          const { runbook, incident } = button.dataset;
          const asked = incident ? { incident } : { runbook, environment };
          button.disabled = true;
          try {
            const init = { method: "POST", body: JSON.stringify(asked) };
            const told = await ask("open", init);
            await app.commands.execute("docmanager:open", { path: told.path });
          } catch (error) {
            complain(list, error);
          } finally {
            button.disabled = false;
            button.blur();
            void refreshList(list);
          }
        }

        board.onAfterShow = () => void refreshBoard();

        controls.addEventListener("submit", (event) => void submitted(event));
        controls.addEventListener("click", (event) => {
          const button = event.target.closest("button[data-runs]");
          if (button) void runStep(button.dataset.runs);
        });

        board.node.addEventListener("click", (event) => {
          const link = event.target.closest("a[href^='#']");
          if (!link) return;
          event.preventDefault();
          void goTo(tracker.currentWidget, decodeURIComponent(link.hash.slice(1)));
        });

        /** Show a heading, and select its step: Shift+Enter runs what the reader looks at. */
        async function goTo(notebook, anchor) {
          const content = notebook?.content;
          const place = content ? await findHeading(content, anchor) : -1;
          if (place < 0) return;
          const step = stepAfter(content, place);
          content.activeCellIndex = step < 0 ? place : step;
          await content.scrollToItem(place, "start");
          // A cell may hold several headings, and the one that is meant its last.
          const headings = content.widgets[place].node.querySelectorAll("h1, h2, h3, h4, h5, h6");
          [...headings].find((each) => anchorOf(each.textContent) === anchor)?.scrollIntoView();
          notebook.activate();
        }

        /** Follow links of cards and of the board that stands in the notebook. */
        function followLinks(notebook) {
          const follow = (event) => {
            const link = event.target.closest(".rb-card a[href^='#'], .rb-board a[href^='#']");
            if (!link) return;
            event.preventDefault();
            event.stopPropagation();
            void goTo(notebook, decodeURIComponent(link.hash.slice(1)));
          };
          notebook.content.node.addEventListener("click", follow, true);
        }

        /** Go on from a step that was answered, or that a heading parts from the next one. */
        function goOn(content, cell) {
          const ran = content.widgets.indexOf(cell);
          const { activeCellIndex: active } = content;
          const stayed = active === ran || (active === ran + 1 && isText(content.widgets[active]));
          const focused = document.activeElement;
          if (ran < 0 || !stayed || focused?.closest(".cm-editor")) return;
          const next = stepAfter(content, ran);
          if (next < 0) return;
          content.activeCellIndex = next;
          // Whoever works elsewhere, in a panel or in another notebook, stays there.
          if (focused === document.body || content.node.contains(focused)) content.activate();
        }

        /** Return the number of the first code cell after a place, -1 if there is none. */
        function stepAfter(content, place) {
          return content.widgets.findIndex((cell, number) => number > place && !isText(cell));
        }

        const anchorOf = (text) => text.replace("¶", "").trim().split(" ").join("-");
        const isText = (cell) => cell?.model.type !== "code";

        /** Run the cells that open the incident, unless this kernel has run them and it shows. */
        async function openIncident(notebook) {
          const cells = notebook.content.widgets;
          const opens = (cell) =>
            cell.model.type === "code" && /\bIncident\.open\(/.test(cell.model.sharedModel.source);
          const last = cells.findIndex(opens);
          const kernel = notebook.sessionContext.session?.kernel;
          if (last < 0 || !kernel) return;
          const future = kernel.requestExecute({
            code: "",
            silent: true,
            user_expressions: { known: "'incident' in globals()" },
          });
          const reply = (await future.done).content.user_expressions?.known;
          const known = reply?.data?.["text/plain"] !== "False";
          // A second tab of a copy that was not saved since has no board to show.
          if (known && cells[last].model.outputs.length) return;
          const first = cells.slice(0, last + 1).filter((cell) => cell.model.type === "code");
          const shown = first.map(({ model }) => [
            model.sharedModel.source,
            model.getMetadata("tags") ?? [],
          ]);
          const body = JSON.stringify({ cells: shown });
          // Nobody has looked at these cells yet: they run by themselves only as a runbook's do.
          const told = await ask("opening", { method: "POST", body });
          const path = notebook.context.path;
          if (told.may !== "yes") {
            sayings.set(path, UNOPENED);
            return;
          }
          if (sayings.get(path) === UNOPENED) sayings.delete(path);
          openings.add(notebook.content);
          await NotebookActions.runCells(notebook.content, first, notebook.sessionContext);
          openings.delete(notebook.content);
        }

        /** Open the incident in each kernel that this notebook gets, also after a restart. */
        async function keepOpen(notebook) {
          const context = notebook.sessionContext;
          let opening = false;
          let fresh = false;
          const again = async () => {
            if (opening || notebook.isDisposed) return;
            opening = true;
            try {
              await openIncident(notebook);
            } finally {
              opening = false;
              void refreshBoard();
            }
          };
          await context.ready;
          void freeKernel(notebook);
          context.statusChanged.connect((_, status) => {
            if (status === "restarting" || status === "autorestarting") fresh = true;
            if (status === "idle" && fresh) {
              fresh = false;
              void again();
            }
          });
          context.kernelChanged.connect((_, change) => {
            fresh = Boolean(change.newValue);
          });
          await again();
        }

        /** Keep the box of a new question in sight and ready, until the reader does something. */
        function watchQuestions(notebook) {
          let seen = null;
          const observer = new MutationObserver(() => {
            const box = notebook.content.node.querySelector(".jp-Stdin-input");
            if (box && box !== seen) {
              follow(box);
              // JupyterLab saves ever less often where a save takes long; a question may wait long.
              if (notebook.context.model.dirty) void notebook.context.save().catch(() => {});
            }
            seen = box;
          });
          observer.observe(notebook.content.node, { childList: true, subtree: true });
          notebook.disposed.connect(() => observer.disconnect());
        }

        function follow(box) {
          const ends = performance.now() + SIGHT_MS;
          const hands = new AbortController();
          for (const kind of ["wheel", "pointerdown", "keydown"]) {
            const told = { capture: true, once: true, signal: hands.signal };
            window.addEventListener(kind, () => hands.abort(), told);
          }
          const look = () => {
            if (!box.isConnected || performance.now() > ends) hands.abort();
            if (hands.signal.aborted) return;
            // Whoever works elsewhere, in a panel or in another notebook, stays there.
            if (document.activeElement === document.body) box.focus({ preventScroll: true });
            if (document.activeElement === box) box.scrollIntoView({ block: "nearest" });
            setTimeout(look, SIGHT_PAUSE_MS);
          };
          look();
        }

        /** Take back a question whose tab is gone, for its kernel would wait for ever; say so. */
        async function freeKernel(notebook) {
          const { path } = notebook.context;
          const body = JSON.stringify({ path });
          for (let tries = 0; tries < FREEING_TRIES && !notebook.isDisposed; tries += 1) {
            const told = await ask("free", { method: "POST", body }).catch(() => ({}));
            if (told.said) {
              sayings.set(path, told.said);
              void refreshBoard();
            }
            if (!told.waits) return;
            // The server may not know yet that the tab is gone.
            await new Promise((done) => setTimeout(done, FREEING_PAUSE_MS));
          }
        }

        /** Show here what another tab of the same copy runs, as it runs. */
        function followOthers(notebook) {
          const running = new Map();
          const context = notebook.sessionContext;
          context.iopubMessage.connect((_, message) => {
            const { header, parent_header: parent, content } = message;
            if (!parent.msg_id || parent.session === context.session?.kernel?.clientId) return;
            if (header.msg_type === "execute_input") {
              const cell = cellOf(notebook.content, content.code);
              if (!cell) return;
              running.set(parent.msg_id, cell);
              cell.outputArea.model.clear();
              cell.setPrompt("*");
              return;
            }
            if (header.msg_type === "update_display_data") redrawBoard(notebook.content, content);
            const cell = running.get(parent.msg_id);
            if (!cell || cell.isDisposed) return;
            if (SHOWN.includes(header.msg_type)) showOutput(cell, header.msg_type, content);
            if (header.msg_type === "status" && content.execution_state === "idle") {
              running.delete(parent.msg_id);
              cell.setPrompt("");
            }
          });
        }

        function showOutput(cell, kind, content) {
          const { transient, ...output } = content;
          cell.outputArea.model.add({ output_type: kind, ...output });
        }

        /** Draw the board that stands in the notebook anew, wherever the cell that drew it ran. */
        function redrawBoard(content, { data, metadata, transient }) {
          if (!transient?.display_id?.startsWith("board-")) return;
          for (const cell of content.widgets.filter((each) => !isText(each))) {
            const outputs = cell.model.outputs;
            for (let place = 0; place < outputs.length; place += 1) {
              if (!String(outputs.get(place).data["text/html"] ?? "").includes("rb-board")) continue;
              outputs.set(place, { output_type: "display_data", data, metadata });
              return;
            }
          }
        }

        /** Return the code cell with that text, undefined if there is none. */
        function cellOf(content, source) {
          return content.widgets.find(
            (cell) => !isText(cell) && cell.model.sharedModel.source === source,
          );
        }

        /** Lay out a notebook that has come up: its sections left, its board right. */
        async function settle(notebook) {
          await notebook.revealed;
          await app.restored;
          if (narrow.matches) {
            giveRoom();
          } else {
            shell.activateById("table-of-contents");
            shell.activateById(board.id);
          }
          followLinks(notebook);
          watchQuestions(notebook);
          followOthers(notebook);
          await refreshBoard();
          await keepOpen(notebook);
          await showChosen(notebook);
        }

        /** Bring the option that was chosen into view, once everything above it has its height. */
        async function showChosen(notebook) {
          const path = encodeURIComponent(notebook.context.path);
          const { chosen } = await ask(`board?path=${path}`).catch(() => ({}));
          if (chosen) await goTo(notebook, chosen);
        }

        /** Return the number of the cell with that heading, -1 if there is none. */
        async function findHeading(content, anchor) {
          await Promise.all(content.widgets.map((cell) => cell.ready));
          return content.widgets.findIndex(
            (cell) => cell.model.type === "markdown" && cell.headings.some(
              (heading) => anchorOf(heading.text) === anchor,
            ),
          );
        }

        NotebookActions.executed.connect((_, done) => {
          if (isText(done.cell)) return;
          // Cells that open the incident run by themselves: nobody has read what was said.
          if (!openings.has(done.notebook)) sayings.delete(tracker.currentWidget?.context.path);
          if (!done.success) return;
          // The box of an answer is taken away in the next frame, and its cell has the focus till then.
          requestAnimationFrame(() => setTimeout(() => goOn(done.notebook, done.cell)));
        });
        tracker.widgetAdded.connect((_, notebook) => void settle(notebook));
        tracker.currentChanged.connect(() => void refreshBoard());
        document.addEventListener("visibilitychange", () => void refreshBoard());
        void app.restored.then(() => {
          if (!PageConfig.getOption("treePath")) showList();
          setInterval(refreshBoard, POLL_MS);
          setInterval(() => lists.forEach(refreshList), LIST_POLL_MS);
        });
      },
    };
  }

  async function plugins() {
    const names = [
      "@jupyterlab/application",
      "@jupyterlab/notebook",
      "@jupyterlab/services",
      "@jupyterlab/coreutils",
      "@lumino/widgets",
    ];
    const modules = await Promise.all(names.map(module_));
    return [plugin(Object.assign({}, ...modules.map((found) => ({ ...found }))))];
  }

  window._JUPYTERLAB = window._JUPYTERLAB || {};
  window._JUPYTERLAB["runbook-nb"] = {
    init: (scope) => {
      shared = scope;
    },
    get: async () => {
      const found = await plugins();
      return () => ({ __esModule: true, default: found });
    },
  };
})();
