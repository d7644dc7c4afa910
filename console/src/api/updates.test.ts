import { expect, it } from "vitest";
import { MessageParser, retryDelay } from "./updates";

it("messages are whole however the stream is cut", () => {
  const stream = 'retry: 2000\n: tynysh\n\nid: 7\nevent: incident\ndata: {"id":\ndata: "1"}\n\n';
  for (let cut = 1; cut < stream.length; cut += 1) {
    const parser = new MessageParser();
    const messages = [...parser.push(stream.slice(0, cut)), ...parser.push(stream.slice(cut))];
    expect(messages).toEqual([{ event: "incident", data: '{"id":\n"1"}' }]);
    expect(parser.lastId).toBe("7");
  }
});

it("all three ways to end a line are understood", () => {
  const parser = new MessageParser();
  expect(parser.push("event: camera\r\ndata: 1\r\n\r\ndata: 2\n\n")).toEqual([
    { event: "camera", data: "1" },
    { event: "message", data: "2" },
  ]);
});

it("an id that comes with a heartbeat counts, one whose message is unfinished does not", () => {
  const parser = new MessageParser();
  expect(parser.push(": alive\nid: 12\n\n")).toEqual([]);
  expect(parser.lastId).toBe("12");
  parser.push("id: 13\ndata: half");
  expect(parser.lastId).toBe("12");
});

it("waits grow to a limit, and differ between browsers", () => {
  expect(retryDelay(0, 0.5)).toBe(500);
  expect(retryDelay(50, 0.5)).toBe(8000);
  expect(retryDelay(2, 0)).toBeLessThan(retryDelay(2, 1));
});
