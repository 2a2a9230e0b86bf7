// What the page remembers of uploads that are not finished, so that they go on after
// a reload. The parts that were sent are in the uploader's own record.
const name = 'webpage.uploads';

// keyOf is the key under which the uploader remembers the parts of a file.
export const keyOf = (file) => `upload_${file.lastModified}_${file.name}_${file.size}`;

function all() {
  try {
    return JSON.parse(localStorage.getItem(name)) ?? {};
  } catch {
    return {};
  }
}

function write(uploads) {
  try {
    localStorage.setItem(name, JSON.stringify(uploads));
  } catch {
    // Private windows may have no storage: then nothing is resumed.
  }
}

export const list = () => Object.entries(all()).map(([key, upload]) => ({ key, ...upload }));
export const recall = (key) => all()[key];

export function remember(key, values) {
  const uploads = all();
  uploads[key] = { ...uploads[key], ...values };
  write(uploads);
}

export function forget(key) {
  const uploads = all();
  delete uploads[key];
  write(uploads);
  forgetParts(key);
}

export function forgetParts(key) {
  try {
    localStorage.removeItem(key);
  } catch {
    // as above
  }
}

// stopped makes the uploader's record one of an upload that was stopped: the uploader
// does not resume one whose tab was closed in the middle.
export function stopped(key) {
  try {
    const parts = JSON.parse(localStorage.getItem(key));
    if (parts) {
      localStorage.setItem(key, JSON.stringify({ ...parts, state: 'Stoped' }));
    }
  } catch {
    forgetParts(key);
  }
}
