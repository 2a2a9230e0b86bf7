// aliyun-upload-vod, Alibaba's uploader for browsers, on a page in Chromium.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { app, env, launch, shot } from './browser.js';

describe('aliyun-upload-vod', () => {
  let browser;
  let sha256;

  before(async () => {
    sha256 = createHash('sha256').update(await readFile(env('FILE'))).digest('hex');
    browser = await launch();
  });

  after(() => browser?.close());

  // open shows the page and keeps what goes wrong on it.
  async function open() {
    const page = await browser.newPage({ viewport: { width: 900, height: 700 } });
    page.problems = [];
    page.on('pageerror', (err) => page.problems.push(String(err)));
    page.on('console', (message) => message.type() === 'error' && page.problems.push(message.text()));
    await page.goto(app);
    return page;
  }

  // start picks the file and begins.
  async function start(page, mode, file = env('FILE')) {
    await page.check(`[name=mode][value=${mode}]`);
    await page.setInputFiles('#file', file);
    await page.click('#upload');
  }

  // finish waits for the end and asks the application what there is.
  async function finish(page, name) {
    const ended = await page.waitForFunction(
      () => /^(uploaded|failed)/.test(document.getElementById('state').textContent), null, { timeout: 45_000 },
    ).catch(String);
    await shot(page, name);
    const state = await page.textContent('#state');
    const log = await page.locator('#log li').allTextContents();
    assert.equal(state, 'uploaded', [ended, ...log, ...page.problems].join('\n'));
    const data = await page.evaluate(() => ({ ...document.body.dataset }));
    const where = data.videoId === 'undefined' ? `/image?object=${data.object}` : `/state?id=${data.videoId}`;
    const stored = await page.evaluate(async (path) => (await fetch(path)).json(), where);
    await page.close();
    return { ...data, log, stored };
  }

  async function upload(name, mode, prepare = async () => {}) {
    const page = await open();
    await prepare(page);
    await start(page, mode);
    return finish(page, name);
  }

  // atPart does something when so many parts are there, before the page goes on.
  const atPart = (parts, act) => (page) => page.evaluate(`{
    const { onUploadProgress } = uploader.options;
    uploader.options.onUploadProgress = (info, size, part) => {
      onUploadProgress(info, size, part);
      if (info.checkpoint?.doneParts.length === ${parts}) {
        (${act})();
      }
    };
  }`);

  test('with the address and credential of CreateUploadVideo', async () => {
    const out = await upload('address', 'address');
    assert.deepEqual(out.stored, { status: 'Normal', title: 'holiday.mp4', sha256, pending: 0 });
    assert.equal(out.expiries, '0');
  });

  test('with a token that expires in the middle', async () => {
    const out = await upload('expiry', 'address', atPart(2, () => {
      const request = new XMLHttpRequest();
      request.open('POST', '/expire', false); // waits, so that the next part comes too late
      request.send();
    }));
    assert.deepEqual(out.stored, { status: 'Normal', title: 'holiday.mp4', sha256, pending: 0 });
    assert.equal(out.expiries, '1');
    assert.match(out.log.join('\n'), /the token expired after [23] parts/);
  });

  test('stopped, and resumed after the page was loaded again', async () => {
    const page = await open();
    await atPart(2, () => document.getElementById('stop').click())(page);
    await start(page, 'address');
    await page.waitForFunction(() => document.getElementById('state').textContent === 'stopped');
    await page.reload();
    await start(page, 'address');
    const out = await finish(page, 'resumed');
    assert.deepEqual(out.stored, { status: 'Normal', title: 'holiday.mp4', sha256, pending: 0 });
    const sent = out.log.filter((line) => /%/.test(line)).length;
    assert.ok(sent < 5, `the parts of before are kept:\n${out.log.join('\n')}`);
  });

  if (env('FRONT', '')) { // only the front answers as vod.cn-shanghai.aliyuncs.com
    test('with an STS token, by which the page itself calls VOD', async () => {
      const out = await upload('sts', 'sts');
      assert.deepEqual(out.stored, { status: 'Normal', title: 'page: holiday.mp4', sha256, pending: 0 });
    });

    test('an image with an STS token', async () => {
      const buffer = Buffer.from('not really a picture');
      const page = await open();
      await start(page, 'sts', { name: 'cover.png', mimeType: 'image/png', buffer });
      const out = await finish(page, 'image');
      const digest = createHash('sha256').update(buffer).digest('hex');
      assert.deepEqual(out.stored, { status: 'Normal', title: 'page: cover.png', sha256: digest });
    });
  }
});
