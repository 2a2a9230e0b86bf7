// What the page asks of its backend.

// Failure has a message in words for the user.
export class Failure extends Error {
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

export const sleep = (seconds) => new Promise((done) => { setTimeout(done, seconds * 1000); });

async function send(path, init) {
  let response;
  try {
    response = await fetch(path, init);
  } catch {
    throw new Failure('Offline', 'The server cannot be reached. Check your connection and try again.');
  }
  return response;
}

// post sends to a handler of package webupload. It waits where the server asks to.
export async function post(path, body, token) {
  for (let attempt = 1; ; attempt += 1) {
    const headers = { 'Content-Type': 'application/json' };
    if (token) {
      headers['Upload-Token'] = token;
    }
    const response = await send(path, { method: 'POST', headers, body: JSON.stringify(body) });
    const answer = await response.json().catch(() => ({}));
    const wait = Number(response.headers.get('Retry-After')) || 0;
    if (response.ok) {
      return { answer, wait, ready: response.status === 200, token: response.headers.get('Upload-Token') };
    }
    if (!wait || attempt === 5) {
      throw new Failure(answer.code ?? 'Unknown', answer.message ?? 'The server did not understand the request. Try again later.');
    }
    await sleep(Math.min(wait, 30));
  }
}

// get asks for the user's videos.
export async function get(path) {
  const response = await send(path, {});
  if (!response.ok) {
    throw new Failure(String(response.status), 'The server does not answer. Reload the page to try again.');
  }
  return response.json();
}
