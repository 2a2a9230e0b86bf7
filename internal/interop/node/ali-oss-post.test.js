// ali-oss signs the policy of an HTML form, and asks for upload callbacks.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { describe, test } from 'node:test';
import OSS from 'ali-oss';
import { accessKeyId, accessKeySecret, bucket, ossEndpoint, region, rejection, url } from './server.js';

const oss = new OSS({ bucket, region: `oss-${region}`, accessKeyId, accessKeySecret, ...ossEndpoint });

describe('ali-oss', () => {
  test('calculatePostSignature', async () => {
    const form = async (key) => {
      const signed = oss.calculatePostSignature({
        expiration: new Date(Date.now() + 60000).toISOString(),
        conditions: [{ bucket }, ['starts-with', '$key', 'form/'], ['content-length-range', 1, 100]],
      });
      const body = new FormData();
      Object.entries({ key, success_action_status: '200', ...signed }).forEach(([name, value]) => body.append(name, value));
      body.append('file', new Blob(['movie'], { type: 'video/mp4' }), 'movie.mp4');
      return fetch(`${url}/${bucket}/`, { method: 'POST', body });
    };
    assert.equal((await form('form/${filename}')).status, 200);
    assert.equal((await oss.get('form/movie.mp4')).content.toString(), 'movie');
    const refused = await form('other/movie.mp4');
    assert.equal(refused.status, 403);
    assert.match(await refused.text(), /Policy Condition failed/);
  });

  test('put with a callback', async () => {
    let got = '';
    let status = 200;
    const server = createServer((req, res) => {
      req.on('data', (chunk) => { got += chunk; });
      req.on('end', () => { res.writeHead(status); res.end('{"Status":"OK"}'); });
    });
    await new Promise((done) => { server.listen(0, '127.0.0.1', done); });
    try {
      const callback = {
        url: `http://127.0.0.1:${server.address().port}/`, body: 'key=${object}&size=${size}&mine=${x:mine}', customValue: { mine: 'c' },
      };
      const { data } = await oss.put('callback.mp4', Buffer.from('movie'), { callback });
      assert.deepEqual(data, { Status: 'OK' });
      assert.equal(got, 'key=callback.mp4&size=5&mine=c');
      status = 500;
      const err = await rejection(oss.put('callback.mp4', Buffer.from('movie'), { callback }));
      assert.equal(err.code, 'CallbackFailed');
    } finally {
      server.close();
    }
  });
});
