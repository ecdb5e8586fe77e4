// SPDX-License-Identifier: Apache-2.0
// Number of parameters in a Java method descriptor: `Ljava/lang/String;[IZ` has three.

export function parameterCount(descriptor: string): number {
  let count = 0;
  for (let i = 0; i < descriptor.length; i++) {
    const letter = descriptor[i];
    if (letter === "[") continue;
    if (letter === "L") {
      const end = descriptor.indexOf(";", i);
      if (end < 0) return count;
      i = end;
    }
    count++;
  }
  return count;
}
