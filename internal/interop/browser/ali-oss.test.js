// ali-oss on a page in Chromium, on another origin than the bucket.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { app, env, launch, shot } from './browser.js';

describe('ali-oss in a browser', () => {
  let browser;
  let page;

  before(async () => {
    browser = await launch();
    page = await browser.newPage({ viewport: { width: 900, height: 700 } });
    await page.goto(app);
  });

  after(async () => {
    await shot(page, 'ali-oss');
    await browser?.close();
  });

  for (const authorizationV4 of [false, true]) {
    const version = authorizationV4 ? 'V4' : 'V1';

    // run calls a function on the page with a client of the bucket.
    const run = (call) => page.evaluate(`(async () => {
      const keys = await ask('/sts');
      const oss = new OSS({
        accessKeyId: keys.AccessKeyId, accessKeySecret: keys.AccessKeySecret, stsToken: keys.SecurityToken,
        region: 'oss-cn-shanghai', endpoint: ${JSON.stringify(env('OSS'))}, bucket: ${JSON.stringify(env('BUCKET'))},
        authorizationV4: ${authorizationV4}, secure: false,
      });
      const rejection = (promise) => promise.then(() => { throw new Error('the call succeeded'); }, (err) => err);
      return (${call})(oss, '${version}/', rejection);
    })()`);

    test(`put, get, head, list, copy and delete, signature ${version}`, async () => {
      const out = await run(async (oss, at) => {
        const name = `${at}a dir/ü +&'.txt`;
        const put = await oss.put(name, new Blob(['content']), { meta: { uid: 7 } });
        const got = await oss.get(name);
        const head = await oss.head(name);
        await oss.copy(`${at}copy`, name);
        const listed = await oss.list({ prefix: at });
        const listedV2 = await oss.listV2({ prefix: at });
        const gone = await oss.deleteMulti([name, `${at}copy`]);
        return {
          etag: put.res.headers.etag, text: new TextDecoder().decode(got.content), meta: head.res.headers['x-oss-meta-uid'], id: put.res.headers['x-oss-request-id'],
          listed: listed.objects.map((o) => o.name), listedV2: listedV2.objects.map((o) => o.name), gone: gone.deleted.length,
        };
      });
      const names = [`${version}/a dir/ü +&'.txt`, `${version}/copy`];
      assert.equal(out.text, 'content');
      assert.equal(out.etag, '"9A0364B9E99BB480DD25E1F0284C8555"');
      assert.match(out.id, /^[0-9A-F]{24}$/);
      assert.deepEqual(out.listed, names);
      assert.deepEqual(out.listedV2, names);
      assert.equal(out.gone, 2);
    });

    test(`a multipart upload, cut and resumed, signature ${version}`, async () => {
      const out = await run(async (oss, at, rejection) => {
        const data = new Uint8Array(700_000).map((_, i) => (i * 7919) >> 8);
        const file = new File([data], 'movie.mp4');
        let checkpoint;
        const cut = await rejection(oss.multipartUpload(`${at}movie.mp4`, file, {
          partSize: 100 * 1024, parallel: 2,
          progress: (done, cp) => {
            checkpoint = cp;
            if (done > 0.3) {
              oss.cancel();
            }
          },
        }));
        const kept = checkpoint.doneParts.length;
        const result = await oss.multipartUpload(`${at}movie.mp4`, file, { checkpoint, parallel: 2 });
        const got = await oss.get(`${at}movie.mp4`);
        return { cut: cut.name, kept, etag: result.etag, same: got.content.length === data.length && got.content.every((b, i) => b === data[i]) };
      });
      assert.equal(out.cut, 'cancel');
      assert.ok(out.kept >= 2 && out.kept < 7, `${out.kept} parts were there when it was cut`);
      assert.match(out.etag, /-7"$/);
      assert.ok(out.same);
    });

    test(`errors can be read on another origin, signature ${version}`, async () => {
      const out = await run(async (oss, at, rejection) => {
        const none = await rejection(oss.get(`${at}none`));
        const head = await rejection(oss.head(`${at}none`));
        oss.options.accessKeySecret = 'wrong';
        const wrong = await rejection(oss.put(`${at}x`, new Blob(['x'])));
        return { none: none.code, id: none.requestId, head: head.code, wrong: wrong.code, status: wrong.status };
      });
      assert.match(out.id, /^[0-9A-F]{24}$/);
      delete out.id;
      assert.deepEqual(out, { none: 'NoSuchKey', head: 'NoSuchKey', wrong: 'SignatureDoesNotMatch', status: 403 });
    });

    test(`presigned URLs with fetch, signature ${version}`, async () => {
      const out = await run(async (oss, at) => {
        const sign = (method, headers) => (oss.options.authorizationV4
          ? oss.signatureUrlV4(method, 60, { headers }, `${at}signed.txt`)
          : oss.signatureUrl(`${at}signed.txt`, { method, expires: 60, ...headers }));
        const headers = { 'Content-Type': 'text/plain' };
        const put = await fetch(await sign('PUT', headers), { method: 'PUT', headers, body: 'signed' });
        const get = await fetch(await sign('GET', {}));
        return { put: put.status, etag: put.headers.get('ETag'), text: await get.text(), type: get.headers.get('Content-Type') };
      });
      assert.deepEqual(out, { put: 200, etag: '"43CA94DD646DBBAA78034918D61043E9"', text: 'signed', type: 'text/plain' });
    });
  }
});
