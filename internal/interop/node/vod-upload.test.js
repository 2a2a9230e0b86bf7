// The upload of a server without an upload SDK, as VOD's documentation has it:
// CreateUploadVideo gives an address and a credential, ali-oss sends the file.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import OSS from 'ali-oss';
import RPCClient from '@alicloud/pop-core';
import { accessKeyId, accessKeySecret, noise, port, rejection, url } from './server.js';

const vod = new RPCClient({ accessKeyId, accessKeySecret, endpoint: url, apiVersion: '2017-03-21' });
const decode = (text) => JSON.parse(Buffer.from(text, 'base64').toString());

// The endpoint of the address is an IP address, which ali-oss takes for a proxy
// of the real host; sldEnable is the other way.
const endpoints = { 'as it stands': (address) => ({ endpoint: address.Endpoint }), sldEnable: () => ({ endpoint: `http://localhost:${port}`, sldEnable: true }) };

for (const [kind, endpoint] of Object.entries(endpoints)) {
  test(`an upload in parts, resumed with a new credential, the endpoint ${kind}`, async () => {
    const data = noise(1_300_000);
    const made = await vod.request('CreateUploadVideo', { Title: 'Launch', FileName: 'launch.mp4' }, { method: 'POST' });
    const address = decode(made.UploadAddress);
    const open = (auth) => {
      const { AccessKeyId, AccessKeySecret, SecurityToken, Region } = decode(auth);
      return new OSS({
        accessKeyId: AccessKeyId, accessKeySecret: AccessKeySecret, stsToken: SecurityToken,
        region: `oss-${Region}`, bucket: address.Bucket, ...endpoint(address),
      });
    };
    const first = open(made.UploadAuth);
    let checkpoint;
    await rejection(first.multipartUpload(address.FileName, data, {
      partSize: 256 * 1024, parallel: 1,
      progress: (done, cp) => {
        checkpoint = cp;
        if (done > 0.4) {
          first.cancel();
        }
      },
    }));
    assert.equal(checkpoint.doneParts.length, 3);
    const before = await vod.request('GetVideoInfo', { VideoId: made.VideoId });
    assert.equal(before.Video.Status, 'Uploading');

    const again = await vod.request('RefreshUploadVideo', { VideoId: made.VideoId });
    const second = open(again.UploadAuth);
    await second.multipartUpload(address.FileName, data, { checkpoint });
    assert.deepEqual((await second.get(address.FileName)).content, data);
    const after = await vod.request('GetVideoInfo', { VideoId: made.VideoId });
    assert.equal(after.Video.Status, 'Normal');
    assert.equal(after.Video.Size, data.length);

    // The credential is for this object only.
    const other = await rejection(second.put('other.mp4', data));
    assert.equal(other.code, 'AccessDenied');
  });
}
