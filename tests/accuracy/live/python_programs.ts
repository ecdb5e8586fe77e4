// SPDX-License-Identifier: Apache-2.0
// A web framework of Python as services use it: its handlers run in tasks, or in threads.

import type { Program } from "./programs.ts";
import { python } from "./start_program.ts";

const sequential = ["r", "h", "r.h", "h.r", "r.h.r", "-"];

const fastapi = (
  name: string,
  what: string,
  served: "async" | "def" | "executor",
): Program => ({
  name,
  what: `FastAPI on uvicorn with uvloop, ${what}`,
  start: python("python_asgi.py"),
  needs: ["python", "uvloop", "fastapi"],
  plans: sequential.map((plan) => `${served}/${plan}`),
});

export const PYTHON_PROGRAMS: readonly Program[] = [
  fastapi("fastapi_tasks", "handlers in tasks", "async"),
  fastapi("fastapi_threads", "handlers in threads of its pool", "def"),
  fastapi("fastapi_executor", "calls in threads of asyncio's executor", "executor"),
];
