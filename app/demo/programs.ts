// SPDX-License-Identifier: Apache-2.0
// The programs that the shop is made of, where Debian puts them, and what brings a missing one.

export type ProgramName = keyof typeof PROGRAMS;
export type Programs = Readonly<Record<ProgramName, string>>;

interface ProgramPlace {
  /** The Debian package that holds it. */
  readonly debianPackage: string;
  readonly folders: readonly string[];
}

const BIN = ["/usr/bin", "/usr/sbin", "/usr/local/bin", "/bin", "/sbin"];

const PROGRAMS = {
  "nginx": { debianPackage: "nginx-light", folders: BIN },
  "node": { debianPackage: "nodejs", folders: ["/usr/local/bin", "/usr/bin"] },
  "python3": { debianPackage: "python3", folders: BIN },
  "redis-server": { debianPackage: "redis-server", folders: BIN },
  "dnsmasq": { debianPackage: "dnsmasq-base", folders: BIN },
  "postgres": { debianPackage: "postgresql", folders: [] },
  "setpriv": { debianPackage: "util-linux", folders: BIN },
} as const satisfies Record<string, ProgramPlace>;

/** The path of every program, or the Debian packages that are missing. */
export function findPrograms(): { programs: Programs } | { missing: string[] } {
  const found: Partial<Record<ProgramName, string>> = {};
  const missing: string[] = [];
  for (const [name, place] of Object.entries(PROGRAMS) as [ProgramName, ProgramPlace][]) {
    const folders = name === "postgres" ? postgresFolders() : place.folders;
    const path = folders.map((folder) => `${folder}/${name}`).find(exists);
    if (path === undefined) missing.push(place.debianPackage);
    else found[name] = path;
  }
  return missing.length > 0 ? { missing } : { programs: found as Programs };
}

/** Debian keeps the programs of PostgreSQL in a folder per version; the newest first. */
function postgresFolders(): string[] {
  const root = "/usr/lib/postgresql";
  if (!exists(root)) return [];
  const versions = [...Deno.readDirSync(root)].map(({ name }) => name);
  return versions.sort((a, b) => Number(b) - Number(a)).map((name) => `${root}/${name}/bin`);
}

function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
}
