// Talk to a Frontdesk server with the official AG-UI client, and print what it understood as one JSON object.
// Usage: node agui.mjs <url of /chat> <message> [<message> ...]
import { HttpAgent } from "@ag-ui/client";
import { randomUUID } from "node:crypto";

const [url, ...messages] = process.argv.slice(2);
const headers = {};
const agent = new HttpAgent({ url, headers, threadId: randomUUID() });
const turns = [];
const keepToken = async (input, init) => {
  const response = await fetch(input, init);
  const token = response.headers.get("x-visitor-token");
  if (token) agent.headers = { ...agent.headers, "X-Visitor-Token": token };
  return response;
};
agent.fetch = keepToken;

for (const content of messages) {
  const turn = { events: [], custom: {}, citations: [], error: null };
  agent.addMessage({ id: randomUUID(), role: "user", content });
  const { result, newMessages } = await agent.runAgent(
    { runId: randomUUID() },
    {
      onEvent: ({ event }) => {
        turn.events.push(event.type);
        if (event.type === "CUSTOM") turn.custom[event.name] = event.value;
        if (event.type === "TEXT_MESSAGE_END") turn.citations = event.metadata?.citations ?? [];
        if (event.type === "RUN_ERROR") turn.error = event;
      },
    },
  );
  turn.result = result;
  turn.text = newMessages.filter((message) => message.role === "assistant").map((message) => message.content).join("");
  turns.push(turn);
}
console.log(JSON.stringify({ turns, messages: agent.messages.length }));
