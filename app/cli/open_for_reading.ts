// SPDX-License-Identifier: Apache-2.0
// A stored file opened for questions; what keeps it from opening is told as one sentence.

import { openStore, type Store } from "../../queries/store/store.ts";
import { Refusal } from "./context.ts";

export async function openForReading(
  path: string,
  { anySchema = false } = {},
): Promise<Store> {
  try {
    return await openStore({ path, readOnly: true, anySchema });
  } catch (error) {
    throw new Refusal(error instanceof Error ? error.message : String(error));
  }
}
