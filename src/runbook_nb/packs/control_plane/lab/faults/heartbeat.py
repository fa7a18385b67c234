"""The eight faults behind late or missing heartbeats."""

from runbook_nb.packs.control_plane.lab.faults.fault import Fault
from runbook_nb.packs.control_plane.lab.faults.heartbeat_agent import (
    block_loop,
    hang_agent,
    heal_agent,
    heal_loop,
    kill_agent,
    release_decimals,
)
from runbook_nb.packs.control_plane.lab.faults.heartbeat_sessions import (
    forget_sessions,
    grow_state,
    heal_sessions,
    shrink_state,
)
from runbook_nb.packs.control_plane.lab.faults.heartbeat_streams import (
    buffer_edge,
    heal_edge,
    heal_storm,
    start_storm,
)

AGENT_HUNG = Fault(
    name="agent_hung",
    title="The agent's process is halted: it holds its connections and does nothing",
    inject=hang_agent,
    heal=heal_agent,
)
AGENT_DEAD = Fault(
    name="agent_dead",
    title="The agent's process was killed and nothing restarted it",
    inject=kill_agent,
    heal=heal_agent,
)
LOOP_BLOCKED = Fault(
    name="loop_blocked",
    title="Long tool calls block the agent's event loop: beats come late, in bursts",
    inject=block_loop,
    heal=heal_loop,
)
SESSIONS_SILENT = Fault(
    name="sessions_silent",
    title="Sessions of ended missions were left active, and their streams open",
    inject=forget_sessions,
    heal=heal_sessions,
)
STATE_GROWN = Fault(
    name="state_grown",
    title="A tool's answers are kept in the session's state, which goes with every beat",
    inject=grow_state,
    heal=shrink_state,
)
LAG_DECIMAL = Fault(
    name="lag_decimal",
    title="A bad release writes the lag with decimals, which the dashboard drops",
    inject=release_decimals,
    heal=heal_agent,
)
EDGE_BUFFERS = Fault(
    name="edge_buffers",
    title="The edge buffers answers, so that streams do not reach the browser",
    inject=buffer_edge,
    heal=heal_edge,
)
RECONNECT_STORM = Fault(
    name="reconnect_storm",
    title="A tab with a broken retry connects five times a second",
    inject=start_storm,
    heal=heal_storm,
)

FAULTS = (
    AGENT_HUNG,
    AGENT_DEAD,
    LOOP_BLOCKED,
    EDGE_BUFFERS,
    SESSIONS_SILENT,
    RECONNECT_STORM,
    LAG_DECIMAL,
    STATE_GROWN,
)
