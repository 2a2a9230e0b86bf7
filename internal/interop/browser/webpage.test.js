// examples/webpage in Chromium, as a visitor uses it.
import assert from 'node:assert/strict';
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';
import { app, env, launch, shot } from './browser.js';

const fake = env('FAKE');
const PART = 102400; // as the program was told

describe('examples/webpage', () => {
  let browser;
  let folder;
  let movie;
  let opened = [];

  before(async () => {
    movie = await readFile(env('FILE'));
    folder = await mkdtemp(join(tmpdir(), 'webpage-'));
    browser = await launch();
  });

  after(async () => {
    await browser?.close();
    await rm(folder, { recursive: true });
  });

  afterEach(async () => {
    await Promise.all(opened.map((context) => context.close()));
    opened = [];
  });

  // visit is a visitor of their own. The page keeps what goes wrong on it and what it
  // asked for.
  async function visit(options = {}) {
    const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
    opened.push(context);
    const page = await context.newPage();
    page.problems = [];
    page.on('pageerror', (err) => page.problems.push(String(err)));
    page.on('console', (message) => message.type() === 'error' && page.problems.push(message.text()));
    page.on('filechooser', () => {}); // from now on: a wait that begins with the key may be too late
    page.requests = [];
    page.on('request', (request) => page.requests.push(request));
    await page.goto(app);
    assert.equal(await page.textContent('#news'), '');
    return page;
  }

  // named is the movie on disk under a name: what is resumed needs the same file.
  async function named(name) {
    const path = join(folder, name);
    await copyFile(env('FILE'), path);
    return path;
  }

  const pick = async (page, ...names) => page.setInputFiles('#file', await Promise.all(names.map(named)));
  const posts = (page, path) => page.requests.filter((r) => r.method() === 'POST' && new URL(r.url()).pathname === path);
  const parts = (page) => page.requests.filter((r) => r.method() === 'PUT' && /partNumber=/.test(r.url()));
  const card = (page, name) => page.locator('#uploads .card', { hasText: name });
  const button = (page, name) => page.getByRole('button', { name });
  const reached = (page, share) => page.waitForFunction((s) => document.querySelector('#uploads progress')?.value > s, share);
  const memory = (page) => page.evaluate(() => Object.values(JSON.parse(localStorage.getItem('webpage.uploads') ?? '{}')));

  // hold makes all parts from the nth on wait, so that there is a middle to stand in,
  // until the function that it returns is called.
  async function hold(page, nth) {
    let open;
    const opens = new Promise((done) => { open = done; });
    let seen = 0;
    await page.route((url) => url.searchParams.has('partNumber'), async (route) => {
      if (route.request().method() === 'PUT') {
        seen += 1;
        if (seen >= nth) {
          await opens;
        }
      }
      await route.continue().catch(() => {}); // its page may be gone
    });
    return async () => {
      open();
      await page.unrouteAll({ behavior: 'ignoreErrors' });
    };
  }

  async function control(path, method = 'POST') {
    const response = await fetch(`${fake}/_mediatest/${path}`, { method, headers: { 'Content-Type': 'application/json' }, body: method === 'POST' ? '{}' : undefined });
    assert.ok(response.ok, `${path}: ${response.status} ${await response.clone().text()}`);
    return response.json();
  }

  const media = async (id) => (await control('state?limit=10000', 'GET')).Medias.find((m) => m.MediaId === id);

  // played waits for the player of a video and plays it for a moment.
  async function played(page, title) {
    const player = page.locator('#videos .card', { hasText: title }).locator('video');
    await player.waitFor({ timeout: 40_000 });
    const state = await player.evaluate(async (v) => {
      if (v.readyState < 2) {
        v.preload = 'auto';
        await new Promise((done, fail) => { v.onloadeddata = done; v.onerror = () => fail(new Error(v.error.message)); });
      }
      v.muted = true;
      await v.play();
      await new Promise((done) => { v.ontimeupdate = () => v.currentTime > 0.2 && done(); });
      v.pause();
      return { readyState: v.readyState, duration: v.duration, width: v.videoWidth, src: v.src };
    });
    assert.ok(state.readyState >= 2, `readyState ${state.readyState}`);
    assert.ok(Math.abs(state.duration - 4) < 0.2, `duration ${state.duration}`);
    assert.equal(state.width, 640);
    return state;
  }

  test('a file of many parts: progress, then a player', async () => {
    const page = await visit();
    const release = await hold(page, 4);
    await pick(page, 'holiday.mp4');
    await reached(page, 0.2);
    await page.waitForFunction(() => /\/s · /.test(document.querySelector('#uploads .state').textContent));
    const text = await card(page, 'holiday.mp4').textContent();
    assert.match(text, /\d+ %/);
    assert.match(text, /\d+(\.\d)? kB of 1.2 MB · [\d.]+ (kB|MB|bytes)\/s · (about \d+|a few) \w+ left/);
    await shot(page, 'webpage-progress');
    await release();
    const { src } = await played(page, 'holiday');
    assert.ok(src.startsWith(fake), `the file comes from the service: ${src}`);
    assert.deepEqual(Buffer.from(await (await fetch(src)).arrayBuffer()), movie);
    assert.equal(parts(page).length, Math.ceil(movie.length / PART));
    assert.equal(await page.locator('#uploads .card').count(), 0);
    assert.match(await page.textContent('#news'), /holiday is ready to play/);
    await shot(page, 'webpage-player');

    await page.reload();
    await played(page, 'holiday');
    assert.deepEqual(await memory(page), []);
    assert.deepEqual(page.problems, []);
  });

  test('reloaded in the middle, it goes on under the same VideoId', async () => {
    const page = await visit();
    let release = await hold(page, 7);
    await pick(page, 'resume.mp4');
    await reached(page, 0.35);
    const [{ videoId, token }] = await memory(page);
    await page.reload();
    await release();
    const rest = page.locator('#unfinished .card');
    assert.match(await rest.textContent(), /resume\.mp4.*\d+ %.*choose the same file to continue/s);
    await shot(page, 'webpage-unfinished');
    page.requests.length = 0;

    const choosing = page.waitForEvent('filechooser');
    await button(page, 'Choose the file resume.mp4 to continue').click();
    await (await choosing).setFiles(join(folder, 'resume.mp4'));
    const { src } = await played(page, 'resume');
    assert.equal(await page.locator('#videos .card').getAttribute('data-video-id'), videoId);
    assert.deepEqual(Buffer.from(await (await fetch(src)).arrayBuffer()), movie);
    assert.equal(posts(page, '/uploads').length, 0, 'no other asset is created');
    assert.ok(parts(page).length <= 8, `the parts of before are kept: ${parts(page).length} were sent again`);
    assert.equal((await media(videoId)).Title, 'resume');

    // An upload of which the server knows nothing any more begins anew.
    release = await hold(page, 3);
    await pick(page, 'anew.mp4');
    await reached(page, 0.1);
    const [old] = await memory(page);
    await page.evaluate((stale) => {
      const all = JSON.parse(localStorage.getItem('webpage.uploads'));
      Object.values(all)[0].token = stale; // of another upload
      localStorage.setItem('webpage.uploads', JSON.stringify(all));
    }, token);
    await page.reload();
    await release();
    await pick(page, 'anew.mp4');
    await played(page, 'anew');
    const ids = await page.locator('#videos .card').evaluateAll((cards) => cards.map((c) => c.dataset.videoId));
    assert.ok(!ids.includes(old.videoId) && ids.length === 2);
  });

  test('a credential that expires in the middle', async () => {
    const page = await visit();
    const release = await hold(page, 4);
    await pick(page, 'expiry.mp4');
    await reached(page, 0.2);
    await control('credentials/expire');
    await release();
    const { src } = await played(page, 'expiry');
    assert.equal(posts(page, '/uploads/refresh').length, 1);
    assert.equal(posts(page, '/uploads').length, 1);
    assert.deepEqual(Buffer.from(await (await fetch(src)).arrayBuffer()), movie);
  });

  test('paused and continued, then another one canceled, by keyboard', async () => {
    const page = await visit();
    let release = await hold(page, 4);
    await pick(page, 'pause.mp4');
    await reached(page, 0.2);
    await button(page, 'Pause: pause.mp4').focus();
    await page.keyboard.press('Enter');
    assert.match(await card(page, 'pause.mp4').textContent(), /paused/);
    assert.equal(await page.textContent('#news'), 'pause.mp4 is paused');
    await shot(page, 'webpage-paused');
    await release();
    assert.equal(await page.evaluate(() => document.activeElement.textContent), 'Continue');
    await page.keyboard.press('Enter');
    await played(page, 'pause');

    release = await hold(page, 4);
    await pick(page, 'cancel.mp4');
    await reached(page, 0.2);
    const [{ videoId }] = await memory(page);
    const canceled = page.waitForResponse((r) => r.url().endsWith('/uploads/cancel'));
    await button(page, 'Cancel: cancel.mp4').focus();
    await page.keyboard.press('Enter');
    assert.equal((await canceled).status(), 200);
    await release();
    await page.waitForFunction(() => localStorage.getItem('webpage.uploads') === '{}');
    assert.equal(await page.locator('#uploads .card').count(), 0);
    assert.equal(await page.evaluate(() => document.activeElement.id), 'file', 'the focus is not lost');
    assert.equal(await media(videoId), undefined, 'the asset is gone');
    const { Uploads } = await control('state', 'GET');
    assert.ok(!Uploads.some((u) => u.Key.includes(videoId)), 'and so are its parts');
  });

  test('what the policy refuses is explained', async () => {
    const page = await visit();
    await writeFile(join(folder, 'large.mp4'), Buffer.alloc(3_000_001));
    await page.setInputFiles('#file', [
      { name: 'notes.txt', mimeType: 'text/plain', buffer: Buffer.from('text') },
      { name: 'empty.mp4', mimeType: 'video/mp4', buffer: Buffer.alloc(0) },
    ]);
    await page.setInputFiles('#file', join(folder, 'large.mp4'));
    for (const [name, words] of [
      ['notes.txt', 'Please choose an MP4 or WebM video, or an MP3 file.'],
      ['empty.mp4', 'This file is empty.'],
      ['large.mp4', 'This file is too large. The limit is 3 MB.'],
    ]) {
      const alert = card(page, name).getByRole('alert');
      await alert.filter({ hasText: words }).waitFor();
      assert.equal(await button(page, `Try again: ${name}`).count(), 0, 'that would not help');
    }
    await shot(page, 'webpage-refused');
    await button(page, 'Remove: notes.txt').click();
    await card(page, 'notes.txt').waitFor({ state: 'detached' });
    assert.deepEqual(await memory(page), []);
    assert.equal(parts(page).length, 0);
  });

  test('pages of other origins are refused', async () => {
    const page = await visit();
    const cookie = (await page.context().cookies())[0];
    const before = (await control('state', 'GET')).Totals.Medias ?? (await control('state?limit=10000', 'GET')).Medias.length;
    const elsewhere = app.replace('localhost', '127.0.0.1'); // the same program, another origin
    await page.goto(elsewhere);
    const outcome = (init) => page.evaluate(async ([url, i]) => {
      try {
        const response = await fetch(url, i);
        return response.type;
      } catch (err) {
        return String(err);
      }
    }, [`${app}/uploads`, init]);
    const body = JSON.stringify({ FileName: 'a.mp4', FileSize: 5 });
    const json = { 'Content-Type': 'application/json' };
    assert.match(await outcome({ method: 'POST', credentials: 'include', headers: json, body }), /TypeError/);
    const evil = { Origin: elsewhere, Cookie: `${cookie.name}=${cookie.value}`, ...json };
    const direct = await fetch(`${app}/uploads`, { method: 'POST', headers: evil, body });
    assert.equal(direct.status, 403);
    assert.equal((await direct.json()).code, 'OriginNotAllowed');
    assert.equal((await fetch(`${app}/uploads`, { method: 'POST', headers: { ...evil, Origin: app, 'Content-Type': 'text/plain' }, body })).status, 415);
    assert.equal((await fetch(`${app}/uploads`, { method: 'POST', headers: json, body })).status, 401, 'nobody is signed in');
    const now = (await control('state', 'GET')).Totals.Medias ?? (await control('state?limit=10000', 'GET')).Medias.length;
    assert.equal(now, before, 'nothing was created');
  });

  test("another visitor's upload is out of reach", async () => {
    const page = await visit();
    const release = await hold(page, 4);
    await pick(page, 'mine.mp4');
    await reached(page, 0.2);
    const [{ videoId, token }] = await memory(page);
    const thief = await visit();
    for (const path of ['/uploads/refresh', '/uploads/complete', '/uploads/cancel']) {
      const got = await thief.evaluate(async ([url, id, proof]) => {
        const response = await fetch(url, { method: 'POST', headers: { 'Content-Type': 'application/json', 'Upload-Token': proof }, body: JSON.stringify({ VideoId: id }) });
        return [response.status, (await response.json()).code];
      }, [path, videoId, token]);
      assert.deepEqual(got, [403, 'UploadNotAllowed'], path);
    }
    await release();
    await played(page, 'mine');
    assert.equal(await thief.evaluate(async (id) => (await fetch(`/videos/${id}`)).status, videoId), 404);
    assert.deepEqual(await thief.evaluate(async () => (await fetch('/videos')).json()), []);
  });

  test('the connection breaks, and comes back', async () => {
    const page = await visit();
    const release = await hold(page, 4);
    await pick(page, 'offline.mp4');
    await reached(page, 0.2);
    await page.context().setOffline(true);
    await release();
    await card(page, 'offline.mp4').getByRole('alert').filter({ hasText: 'what is uploaded is kept' }).waitFor({ timeout: 45_000 });
    await shot(page, 'webpage-offline');
    await page.context().setOffline(false);
    const sent = parts(page).length;
    await button(page, 'Try again: offline.mp4').click();
    await played(page, 'offline');
    assert.equal(posts(page, '/uploads').length, 1);
    assert.ok(parts(page).length - sent < Math.ceil(movie.length / PART), 'parts of before are kept');
  });

  test('closed after the last byte, it is completed at the next visit', async () => {
    const page = await visit();
    await page.route('**/uploads/complete', (route) => route.abort());
    await pick(page, 'late.mp4');
    await card(page, 'late.mp4').getByRole('alert').filter({ hasText: 'The server cannot be reached' }).waitFor({ timeout: 45_000 });
    await page.unrouteAll();
    const completed = page.waitForResponse((r) => r.url().endsWith('/uploads/complete'));
    await page.route('**/videos', async (route) => { // the list has it already when it comes
      await completed;
      await route.continue();
    });
    await page.reload();
    await page.waitForResponse((r) => r.url().endsWith('/videos'));
    await played(page, 'late');
    assert.equal(await page.locator('#videos .card').count(), 1);
    assert.deepEqual(await memory(page), []);
  });

  test('several files at once, dropped anywhere', async () => {
    const page = await visit();
    const data = await page.evaluateHandle((base64) => {
      const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
      const transfer = new DataTransfer();
      for (const name of ['one.mp4', 'two.mp4', 'three.mp4']) {
        transfer.items.add(new File([bytes], name, { type: 'video/mp4', lastModified: 1 }));
      }
      return transfer;
    }, movie.toString('base64'));
    await page.dispatchEvent('body', 'dragenter', { dataTransfer: data });
    assert.match(await page.getAttribute('#drop', 'class'), /over/);
    await page.dispatchEvent('h1', 'drop', { dataTransfer: data });
    assert.doesNotMatch(await page.getAttribute('#drop', 'class'), /over/);
    for (const title of ['one', 'two', 'three']) {
      await played(page, title);
    }
    assert.deepEqual(page.problems, []);
  });

  test('it can be used with a keyboard and a screen reader', async () => {
    const page = await visit();
    await page.keyboard.press('Tab');
    assert.equal(await page.evaluate(() => document.activeElement.id), 'file', 'the picker comes first');
    assert.ok(await page.getByLabel('Choose a file').evaluate((e) => e.matches(':focus')), 'and has a label');
    const choosing = page.waitForEvent('filechooser');
    await page.keyboard.press('Enter');
    const release = await hold(page, 6);
    await (await choosing).setFiles(await named('voice.mp4'));
    await page.getByRole('progressbar', { name: 'Upload of voice.mp4' }).waitFor();
    await page.waitForFunction(() => /voice.mp4: 25 percent/.test(document.getElementById('news').textContent));
    await page.keyboard.press('Tab');
    assert.equal(await page.evaluate(() => document.activeElement.getAttribute('aria-label')), 'Pause: voice.mp4');
    await release();
    await played(page, 'voice');
    assert.equal(await page.evaluate(() => document.querySelectorAll('video[aria-label="voice"]').length), 1);
  });

  test('on a small screen and in the dark', async () => {
    const pages = await Promise.all([[400, 'light'], [400, 'dark'], [1280, 'dark'], [320, 'light']].map(
      ([width, colorScheme]) => visit({ viewport: { width, height: 850 }, colorScheme, hasTouch: width < 500 }),
    ));
    for (const page of pages) {
      const { width } = page.viewportSize();
      const release = await hold(page, 4);
      await pick(page, 'a rather long name of a film that somebody made on a holiday by the sea 2026-08-14.mp4');
      await reached(page, 0.2);
      await page.setInputFiles('#file', { name: 'notes.txt', mimeType: 'text/plain', buffer: Buffer.from('text') });
      await card(page, 'notes.txt').getByRole('alert').filter({ hasText: 'Please choose' }).waitFor();
      const scheme = await page.evaluate(() => (matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light'));
      await shot(page, `webpage-${width}-${scheme}`);
      await release();
      await page.locator('video').waitFor({ timeout: 40_000 });
      await played(page, 'a rather long name');
      await page.locator('#videos').scrollIntoViewIfNeeded();
      await shot(page, `webpage-${width}-${scheme}-player`);
      assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth), `nothing is cut off at ${width} px`);
    }
  });
});
