// ali-oss, Alibaba's OSS client for JavaScript, with the signatures V1 and V4.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import OSS from 'ali-oss';
import { accessKeyId, accessKeySecret, bucket, noise, ossEndpoint, region, rejection } from './server.js';

for (const authorizationV4 of [false, true]) {
  const version = authorizationV4 ? 'V4' : 'V1';
  const client = () => new OSS({ accessKeyId, accessKeySecret, bucket, region: `oss-${region}`, authorizationV4, ...ossEndpoint });

  describe(`ali-oss, signature ${version}`, () => {
    const oss = client();
    const at = `${version}/`;

    test('put, get, head', async () => {
      const data = noise(70_000);
      const name = `${at}a dir/ü +&'()*.bin`;
      const put = await oss.put(name, data, { meta: { uid: 7, note: 'x y' }, headers: { 'Cache-Control': 'no-cache' } });
      assert.equal(put.res.status, 200);
      assert.equal(put.name, name);
      const got = await oss.get(name);
      assert.deepEqual(got.content, data);
      const head = await oss.head(name);
      assert.deepEqual(head.meta, { uid: '7', note: 'x y' });
      assert.equal(head.res.headers['cache-control'], 'no-cache');
      assert.equal(head.res.headers['content-length'], '70000');
      assert.equal(head.res.headers['x-oss-object-type'], 'Normal');
      const range = await oss.get(name, { headers: { Range: 'bytes=10-19' } });
      assert.deepEqual(range.content, data.subarray(10, 20));
      const meta = await oss.getObjectMeta(name);
      assert.equal(meta.res.headers['content-length'], '70000');
      assert.equal(meta.res.headers.etag, put.res.headers.etag);
    });

    test('what is not there', async () => {
      const get = await rejection(oss.get(`${at}none`));
      assert.equal(get.code, 'NoSuchKey');
      assert.equal(get.status, 404);
      assert.match(get.requestId, /^[0-9A-F]{24}$/);
      assert.equal((await rejection(oss.head(`${at}none`))).code, 'NoSuchKey');
      const other = client();
      other.useBucket('no-such-bucket');
      assert.equal((await rejection(other.put('a', Buffer.from('a')))).code, 'NoSuchBucket');
    });

    test('a wrong secret', async () => {
      const stranger = new OSS({ accessKeyId, accessKeySecret: 'wrong', bucket, region: `oss-${region}`, authorizationV4, ...ossEndpoint });
      const err = await rejection(stranger.get('a'));
      assert.equal(err.code, 'SignatureDoesNotMatch');
      assert.equal(err.status, 403);
    });

    test('conditions', async () => {
      const name = `${at}conditions`;
      const put = await oss.put(name, Buffer.from('text'));
      const unchanged = await oss.head(name, { headers: { 'If-None-Match': put.res.headers.etag } });
      assert.equal(unchanged.status, 304);
      assert.equal((await rejection(oss.get(name, { headers: { 'If-Match': '"0123"' } }))).code, 'PreconditionFailed');
      const again = await rejection(oss.put(name, Buffer.from('other'), { headers: { 'x-oss-forbid-overwrite': 'true' } }));
      assert.equal(again.code, 'FileAlreadyExists');
    });

    test('streams', async () => {
      const data = noise(300_000);
      const { Readable } = await import('node:stream');
      await oss.putStream(`${at}stream`, Readable.from([data.subarray(0, 100_000), data.subarray(100_000)]));
      const { stream } = await oss.getStream(`${at}stream`);
      assert.deepEqual(Buffer.concat(await stream.toArray()), data);
    });

    test('list and listV2', async () => {
      const names = ['1.txt', '2.txt', 'b/3.txt', 'c d+é.txt'].map((n) => `${at}list/${n}`);
      for (const name of names) {
        await oss.put(name, Buffer.from(name));
      }
      const prefix = `${at}list/`;
      const seen = [];
      let marker = null;
      do {
        const page = await oss.list({ prefix, 'max-keys': 3, marker });
        seen.push(...page.objects.map((o) => o.name));
        assert.ok(page.objects.every((o) => o.size > 0 && o.etag && o.owner.id));
        marker = page.nextMarker;
      } while (marker);
      assert.deepEqual(seen, names);

      const seenV2 = [];
      let token;
      do {
        const page = await oss.listV2({ prefix, 'max-keys': 3, 'continuation-token': token });
        seenV2.push(...page.objects.map((o) => o.name));
        assert.equal(page.keyCount, page.objects.length);
        assert.equal(page.objects[0].owner, null);
        token = page.nextContinuationToken;
      } while (token);
      assert.deepEqual(seenV2, names);

      const folders = await oss.list({ prefix, delimiter: '/' });
      assert.deepEqual(folders.prefixes, [`${prefix}b/`]);
      assert.equal(folders.objects.length, 3);
      const withOwner = await oss.listV2({ prefix, delimiter: '/', 'fetch-owner': true, 'start-after': names[0] });
      assert.ok(withOwner.objects[0].owner.id);
      assert.equal(withOwner.objects[0].name, names[1]);
      assert.deepEqual((await oss.list({ prefix: `${at}nothing/` })).objects, []);
    });

    test('multipart upload, cut and resumed from its checkpoint', async () => {
      const data = noise(1_050_000);
      const name = `${at}multipart.bin`;
      let checkpoint;
      const first = client();
      const cut = await rejection(first.multipartUpload(name, data, {
        partSize: 200 * 1024,
        parallel: 2,
        progress: (done, cp) => {
          checkpoint = cp;
          if (done > 0.3) {
            first.cancel();
          }
        },
      }));
      assert.equal(cut.name, 'cancel');
      const kept = checkpoint.doneParts.length;
      assert.ok(kept >= 2 && kept < 6, `${kept} parts were there when it was cut`);
      const pending = await oss.listUploads({ prefix: name });
      assert.deepEqual(pending.uploads.map((u) => u.uploadId), [checkpoint.uploadId]);
      const parts = await oss.listParts(name, checkpoint.uploadId, { 'max-parts': 100 });
      assert.ok(parts.parts.length >= kept);
      assert.equal(parts.isTruncated, 'false');

      let sent = 0;
      const result = await oss.multipartUpload(name, data, { checkpoint, parallel: 3, progress: (_, cp) => { sent += cp ? 1 : 0; } });
      assert.equal(sent, 6 - kept);
      assert.match(result.etag, /^"[0-9A-F]{32}-6"$/);
      assert.deepEqual((await oss.get(name)).content, data);
      assert.equal((await oss.head(name)).res.headers['x-oss-object-type'], 'Multipart');
    });

    test('multipart upload from a file, and one aborted', async () => {
      const { mkdtemp, rm, writeFile } = await import('node:fs/promises');
      const { tmpdir } = await import('node:os');
      const folder = await mkdtemp(`${tmpdir()}/interop-`);
      try {
        const data = noise(450_000);
        await writeFile(`${folder}/movie.mp4`, data);
        const name = `${at}movie.mp4`;
        await oss.multipartUpload(name, `${folder}/movie.mp4`, { partSize: 150 * 1024, meta: { year: 2026 } });
        const got = await oss.get(name);
        assert.deepEqual(got.content, data);
        assert.equal(got.res.headers['content-type'], 'video/mp4');
        assert.equal(got.res.headers['x-oss-meta-year'], '2026');
      } finally {
        await rm(folder, { recursive: true });
      }

      const { uploadId } = await oss.initMultipartUpload(`${at}aborted`);
      const part = await oss.uploadPart(`${at}aborted`, uploadId, 1, noise(120_000), 0, 110_000);
      assert.ok(part.etag);
      await oss.abortMultipartUpload(`${at}aborted`, uploadId);
      assert.equal((await rejection(oss.listParts(`${at}aborted`, uploadId))).code, 'NoSuchUpload');
      const wrong = await oss.initMultipartUpload(`${at}wrong`);
      const err = await rejection(oss.completeMultipartUpload(`${at}wrong`, wrong.uploadId, [{ number: 1, etag: '"00"' }]));
      assert.equal(err.code, 'InvalidPart');
      await oss.abortMultipartUpload(`${at}wrong`, wrong.uploadId);
    });

    test('copy', async () => {
      const name = `${at}copy of ü.txt`;
      await oss.put(`${at}ü+ source.txt`, Buffer.from('content'), { meta: { a: 1 } });
      const copied = await oss.copy(name, `${at}ü+ source.txt`);
      assert.ok(copied.data.etag && copied.data.lastModified);
      let head = await oss.head(name);
      assert.deepEqual(head.meta, { a: '1' });
      await oss.putMeta(name, { b: 2 });
      head = await oss.head(name);
      assert.deepEqual(head.meta, { b: '2' });
      assert.equal((await oss.get(name)).content.toString(), 'content');
      assert.equal((await rejection(oss.copy(name, `${at}none`))).code, 'NoSuchKey');
    });

    test('multipart copy', async () => {
      const data = noise(450_000);
      await oss.put(`${at}large`, data);
      await oss.multipartUploadCopy(`${at}large copy`, { sourceKey: `${at}large`, sourceBucketName: bucket }, { partSize: 150 * 1024 });
      assert.deepEqual((await oss.get(`${at}large copy`)).content, data);
    });

    test('delete and deleteMulti', async () => {
      const names = ['d1', "d2 &'<>", 'd3+ü'].map((n) => at + n);
      for (const name of names) {
        await oss.put(name, Buffer.from('x'));
      }
      assert.equal((await oss.delete(names[0])).res.status, 204);
      assert.equal((await oss.delete(names[0])).res.status, 204);
      const out = await oss.deleteMulti(names);
      assert.deepEqual(out.deleted.map((d) => d.Key).sort(), [...names].sort());
      assert.deepEqual((await oss.deleteMulti([names[0]], { quiet: true })).deleted, []);
      assert.deepEqual((await oss.list({ prefix: `${at}d` })).objects, []);
    });
  });
}
