// SPDX-License-Identifier: Apache-2.0
// A folder for the files of one server, removed when the server is disposed of.

/** Opens a resource with files in a new folder; both go together, also if opening fails. */
export async function inTemporaryFolder<T extends AsyncDisposable>(
  name: string,
  open: (path: string) => Promise<T>,
): Promise<T> {
  const path = await Deno.makeTempDir({ prefix: `spandrel-${name}-` });
  const remove = () => Deno.remove(path, { recursive: true });
  try {
    const resource = await open(path);
    const close = async () => {
      await resource[Symbol.asyncDispose]();
      await remove();
    };
    return { ...resource, [Symbol.asyncDispose]: close };
  } catch (error) {
    await remove();
    throw error;
  }
}
