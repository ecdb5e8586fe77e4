// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { parseVotes, withObjection, withVote } from "./votes.ts";

Deno.test("votes are read as they were written", () => {
  const text = withObjection(
    withVote(withVote("", "thread", 0.9984), "before_answer", 0.95),
    "time",
  );
  assert.equal(text, "thread=0.998 before_answer=0.95 !time");
  assert.deepEqual(parseVotes(text), {
    rules: [{ rule: "thread", trust: 0.998 }, { rule: "before_answer", trust: 0.95 }],
    against: ["time"],
  });
});

Deno.test("nothing is trusted without any doubt, and what is no vote is passed over", () => {
  assert.deepEqual(parseVotes(withVote("", "identity", 1)).rules[0]?.trust, 0.99999);
  assert.deepEqual(parseVotes(" =1 later! x=2 !moon y"), { rules: [], against: [] });
  assert.deepEqual(parseVotes(""), { rules: [], against: [] });
});
