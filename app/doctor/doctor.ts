// SPDX-License-Identifier: Apache-2.0
// What `doctor` does.

import { type CliContext, Refusal } from "../cli/context.ts";
import type { DoctorFlags } from "../cli/commands/doctor.ts";

export function doctor(this: CliContext, _flags: DoctorFlags): Promise<void> {
  throw new Refusal("Cannot doctor: this build does not hold that part");
}
