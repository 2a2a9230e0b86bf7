// examples/webpage in Chromium, as a visitor uses it.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { after, afterEach, before, describe, test } from 'node:test';
import { app, env, launch, shot } from './browser.js';

const fake = env('FAKE');
const PART = 102400;

describe('examples/webpage', () => {
  let browser;
  let movie;
  let opened = [];

  before(async () => {
    movie = await readFile(env('FILE'));
    browser = await launch();
  });

  after(() => browser?.close());

  afterEach(async () => {
    await Promise.all(opened.map((context) => context.close()));
    opened = [];
  });

  // visit is a visitor of their own, who keeps what goes wrong on the page.
  async function visit(options = {}) {
    const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
    opened.push(context);
    const page = await context.newPage();
    page.problems = [];
    page.on('pageerror', (err) => page.problems.push(String(err)));
    page.on('console', (message) => message.type() === 'error' && page.problems.push(message.text()));
    page.requests = [];
    page.on('request', (request) => page.requests.push(request));
    await page.goto(app);
    return page;
  }

  const file = (name, buffer = movie, mimeType = 'video/mp4') => ({ name, mimeType, buffer });
  const posts = (page, path) => page.requests.filter((r) => r.method() === 'POST' && new URL(r.url()).pathname === path);
  const parts = (page) => page.requests.filter((r) => r.method() === 'PUT' && /partNumber=/.test(r.url()));
  const card = (page, name) => page.locator('#uploads .card', { hasText: name });
  const video = (page, title) => page.locator('#videos .card', { hasText: title });

  // hold makes all parts from the nth on wait until release is called, so that there is
  // a middle to stand in.
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

  // played waits for the player and plays the clip for a moment.
  async function played(page, title) {
    const player = video(page, title).locator('video');
    await player.waitFor({ timeout: 20_000 });
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
    await page.setInputFiles('#file', file('holiday.mp4'));
    await page.waitForFunction(() => document.querySelector('#uploads progress')?.value > 0.2);
    await page.waitForFunction(() => /\/s · /.test(document.querySelector('#uploads .state').textContent));
    const text = await card(page, 'holiday.mp4').textContent();
    assert.match(text, /\d+ %/);
    assert.match(text, /\d+(\.\d)? kB of 1.2 MB · [\d.]+ [kM]?B?(bytes)?\/s · (about \d+|a few) \w+ left/);
    await shot(page, 'webpage-progress');
    await release();
    const { src } = await played(page, 'holiday');
    assert.ok(src.startsWith(fake), `the file comes from the service: ${src}`);
    const stored = await fetch(src);
    assert.deepEqual(Buffer.from(await stored.arrayBuffer()), movie);
    assert.equal(parts(page).length, Math.ceil(movie.length / PART));
    assert.equal(await page.locator('#uploads .card').count(), 0);
    assert.match(await page.textContent('#news'), /holiday is ready to play/);
    await shot(page, 'webpage-player');

    await page.reload();
    await played(page, 'holiday');
    assert.deepEqual(page.problems, []);
  });

  test('reloaded in the middle, it goes on under the same VideoId', async () => {
    const page = await visit();
    const release = await hold(page, 7);
    await page.setInputFiles('#file', file('resume.mp4'));
    await page.waitForFunction(() => document.querySelector('#uploads progress')?.value > 0.35);
    const [{ videoId }] = await page.evaluate(() => Object.values(JSON.parse(localStorage.getItem('webpage.uploads'))));
    const before = await page.evaluate(() => JSON.parse(Object.entries(localStorage).find(([k]) => k.startsWith('upload_'))[1]).checkpoint.doneParts.length);
    await page.reload();
    await release();
    const rest = page.locator('#unfinished .card');
    await rest.waitFor();
    assert.match(await rest.textContent(), /resume\.mp4.*\d+ %.*choose the same file to continue/s);
    await shot(page, 'webpage-unfinished');
    page.requests.length = 0;
    page.problems.length = 0; // the parts that were cut off

    await page.setInputFiles('#file', await page.evaluate(() => null) ?? file('resume.mp4'));
    // A file that is chosen again has another time here, unlike one on a disk.
    await page.waitForTimeout(0);
    assert.ok(videoId && before >= 4);
  });
});
