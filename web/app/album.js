// The pictures that were sent, kept in this browser (IndexedDB) so that a job still shows its picture after the page is
// loaded again: the server keeps small ones, and only where it was asked to. Where the browser keeps nothing, there is none.

const NAME = "ocrfleet";
const STORE = "pictures";
const MOST = 30; // pictures kept
const MOST_BYTES = 12_000_000; // of one picture

let opened = null;

function open() {
  opened ??= new Promise((resolve, reject) => {
    const request = indexedDB.open(NAME, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE, { keyPath: "id" });
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  return opened;
}

async function run(mode, work) {
  try {
    const store = (await open()).transaction(STORE, mode).objectStore(STORE);
    const request = work(store);
    return await new Promise((resolve, reject) => {
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    });
  } catch {
    return null; // private windows and full disks: the page works without
  }
}

/** Keep the picture of a job; the oldest give way. */
export async function keepPicture(id, file) {
  if (file.size > MOST_BYTES) return;
  await run("readwrite", (store) => store.put({ id, file, at: Date.now() }));
  const rows = (await run("readonly", (store) => store.getAll())) ?? [];
  for (const row of rows.sort((a, b) => b.at - a.at).slice(MOST)) await dropPicture(row.id);
}

/** The picture of a job, or null. */
export async function keptPicture(id) {
  return (await run("readonly", (store) => store.get(id)))?.file ?? null;
}

/** Forget the picture of a job. */
export const dropPicture = (id) => run("readwrite", (store) => store.delete(id));
