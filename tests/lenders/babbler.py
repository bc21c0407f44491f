"""An MCP server over stdio that talks nonsense, as no official package would: `python -m tests.lenders.babbler MODE`.

`mute` answers nothing at all. `nonsense` lists its tools as it should; called, `babble` writes what is no message before
the answer, `lie` answers with what is no result, and `die` ends with letters that are none. `pages` never ends its list.
"""

import json
import sys

_NAMES = ("babble", "lie", "die")
_TOOLS = [{"name": name, "description": name, "inputSchema": {"type": "object"}} for name in _NAMES]
_NONSENSE = b'\xc3\x28 {"jsonrpc": "2.0", "id": 1, "result": {"Ann Smith": 1}}\n<html>\n\n{}\n[1]\nnull\n'


def _result(method: str, params: dict[str, object]) -> dict[str, object] | None:
    match method:
        case "initialize":
            about = {"name": "babbler", "version": "1"}
            version = params["protocolVersion"]
            return {"protocolVersion": version, "capabilities": {"tools": {}}, "serverInfo": about}
        case "tools/list" if sys.argv[1] == "pages":
            return {"tools": _TOOLS, "nextCursor": "again"}
        case "tools/list":
            return {"tools": _TOOLS[2:]} if params.get("cursor") else {"tools": _TOOLS[:2], "nextCursor": "2"}
        case "tools/call" if params["name"] == "babble":
            sys.stdout.buffer.write(_NONSENSE)
            return {"content": [{"type": "text", "text": "after the nonsense"}]}
        case "tools/call" if params["name"] == "lie":
            return {"content": "Ann Smith"}
        case "tools/call":
            sys.stdout.buffer.write(b"\xc3\x28\xff")
            sys.stdout.buffer.flush()
            sys.exit()
        case _:
            return None


def _answer(line: str) -> None:
    asked = json.loads(line)
    if "id" not in asked:
        return
    result = _result(asked["method"], asked.get("params", {}))
    unknown = {"code": -32601, "message": "unknown"}
    told = {"error": unknown} if result is None else {"result": result}
    sys.stdout.buffer.write(json.dumps({"jsonrpc": "2.0", "id": asked["id"], **told}).encode() + b"\n")
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    for received in sys.stdin:
        if sys.argv[1] != "mute":
            _answer(received)
