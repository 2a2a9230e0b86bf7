// The rest of what ali-oss does with objects and buckets, as far as an uploader
// has to do with it.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import OSS from 'ali-oss';
import { accessKeyId, accessKeySecret, account, bucket, noise, ossEndpoint, region, rejection } from './server.js';

for (const authorizationV4 of [false, true]) {
  const version = authorizationV4 ? 'V4' : 'V1';

  describe(`ali-oss, signature ${version}`, () => {
    const oss = new OSS({ accessKeyId, accessKeySecret, bucket, region: `oss-${region}`, authorizationV4, ...ossEndpoint });
    const at = `more-${version}/`;

    test('append', async () => {
      const first = await oss.append(`${at}log`, Buffer.from('one '));
      assert.equal(first.nextAppendPosition, '4');
      const second = await oss.append(`${at}log`, Buffer.from('two'), { position: first.nextAppendPosition });
      assert.equal(second.nextAppendPosition, '7');
      assert.equal((await oss.get(`${at}log`)).content.toString(), 'one two');
      assert.equal((await rejection(oss.append(`${at}log`, Buffer.from('x'), { position: 3 }))).code, 'PositionNotEqualToLength');
    });

    test('ACL and tags', async () => {
      await oss.put(`${at}acl`, Buffer.from('x'));
      assert.equal((await oss.getACL(`${at}acl`)).acl, 'default');
      await oss.putACL(`${at}acl`, 'public-read');
      assert.equal((await oss.getACL(`${at}acl`)).acl, 'public-read');
      await oss.putObjectTagging(`${at}acl`, { a: '1', b: 'x + 2' });
      assert.deepEqual((await oss.getObjectTagging(`${at}acl`)).tag, { a: '1', b: 'x + 2' });
      await oss.deleteObjectTagging(`${at}acl`);
      assert.deepEqual((await oss.getObjectTagging(`${at}acl`)).tag, {});
    });

    test('buckets', async () => {
      const { buckets } = await oss.listBuckets();
      const mine = buckets.find((b) => b.name === bucket);
      assert.equal(mine.region, `oss-${region}`);
      const { bucket: info } = await oss.getBucketInfo(bucket);
      assert.equal(info.Name, bucket);
      assert.equal(info.Owner.ID, account);
      assert.equal((await oss.getBucketLocation(bucket)).location, `oss-${region}`);
      assert.equal((await oss.getBucketACL(bucket)).acl, 'private');
    });

    test('a part that comes twice, and many parts', async () => {
      const name = `${at}parts`;
      const data = noise(13 * 102_400 + 1);
      await oss.multipartUpload(name, data, { partSize: 102_400, parallel: 8 });
      assert.deepEqual((await oss.get(name)).content, data);
      const { uploadId } = await oss.initMultipartUpload(`${name}-twice`);
      await oss.uploadPart(`${name}-twice`, uploadId, 1, data, 0, 102_400);
      const again = await oss.uploadPart(`${name}-twice`, uploadId, 1, data, 5, 102_405);
      const done = await oss.completeMultipartUpload(`${name}-twice`, uploadId, [{ number: 1, etag: again.etag }]);
      assert.equal(done.bucket, bucket);
      assert.deepEqual((await oss.get(`${name}-twice`)).content, data.subarray(5, 102_405));
    });

    test('an empty object', async () => {
      await oss.put(`${at}empty`, Buffer.alloc(0));
      const got = await oss.get(`${at}empty`);
      assert.equal(got.res.status, 200);
      assert.equal(got.content.length, 0);
    });

    test('the names of files', async () => {
      const odd = ['ö/ä/ü 中文 😀.mp4', 'a%20b', 'a+b', 'a&b=c', "it's (1)!*.mp4", 'a//b', '~tilde', 'q?x#y', 'a"b<c>'];
      for (const name of odd) {
        await oss.put(at + name, Buffer.from(name));
        assert.equal((await oss.get(at + name)).content.toString(), name);
      }
      const { objects } = await oss.listV2({ prefix: at, 'max-keys': 1000 });
      const names = objects.map((o) => o.name.slice(at.length));
      assert.deepEqual(odd.filter((name) => !names.includes(name)), []);
    });
  });
}
