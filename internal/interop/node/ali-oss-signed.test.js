// ali-oss with presigned URLs, with security tokens and with an endpoint that is
// an IP address.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import OSS from 'ali-oss';
import { accessKeyId, accessKeySecret, account, bucket, noise, ossEndpoint, region, rejection, url } from './server.js';

const ossRegion = `oss-${region}`;

async function token() {
  const sts = new OSS.STS({ accessKeyId, accessKeySecret, endpoint: url });
  const { credentials } = await sts.assumeRole(`acs:ram::${account}:role/uploader`, '', 900, 'interop');
  return credentials;
}

for (const authorizationV4 of [false, true]) {
  const version = authorizationV4 ? 'V4' : 'V1';
  const common = { bucket, region: ossRegion, authorizationV4, ...ossEndpoint };

  describe(`ali-oss, signature ${version}`, () => {
    const at = `signed-${version}/`;

    for (const kind of ['keys', 'a token']) {
      test(`presigned URLs, with ${kind}`, async () => {
        const keys = kind === 'keys' ? { accessKeyId, accessKeySecret } : {};
        if (kind === 'a token') {
          const { AccessKeyId, AccessKeySecret, SecurityToken } = await token();
          Object.assign(keys, { accessKeyId: AccessKeyId, accessKeySecret: AccessKeySecret, stsToken: SecurityToken });
        }
        const oss = new OSS({ ...common, ...keys });
        const name = `${at}a dir/ü ${kind}.txt`;
        const sign = (method, headers = {}, queries = {}) => (authorizationV4
          ? [oss.signatureUrlV4(method, 60, { headers, queries }, name)]
          : [
            oss.signatureUrl(name, { method, expires: 60, ...headers, response: responses(queries) }),
            oss.asyncSignatureUrl(name, { method, expires: 60, ...headers, response: responses(queries) }),
          ]);
        const headers = { 'Content-Type': 'text/plain', 'x-oss-meta-a': '1' };
        for (const address of await Promise.all(sign('PUT', headers))) {
          const put = await fetch(address, { method: 'PUT', headers, body: 'signed' });
          assert.equal(put.status, 200, await put.text());
          const other = await fetch(address, { method: 'PUT', headers: { ...headers, 'Content-Type': 'text/html' }, body: 'x' });
          assert.equal(other.status, 403);
          assert.match(await other.text(), /SignatureDoesNotMatch/);
        }
        for (const address of await Promise.all(sign('GET', {}, { 'response-content-type': 'text/x-odd' }))) {
          const get = await fetch(address, { headers: { Range: 'bytes=0-2' } });
          assert.equal(get.status, 206);
          assert.equal(get.headers.get('content-type'), 'text/x-odd');
          assert.equal(await get.text(), 'sig');
          assert.equal((await fetch(address, { method: 'PUT', body: 'x' })).status, 403);
        }
        assert.equal((await oss.head(name)).meta.a, '1');
      });
    }

    test('a client that refreshes its token', async () => {
      const first = await token();
      let asked = 0;
      const oss = new OSS({
        ...common,
        accessKeyId: first.AccessKeyId,
        accessKeySecret: first.AccessKeySecret,
        stsToken: first.SecurityToken,
        refreshSTSTokenInterval: 0,
        refreshSTSToken: async () => {
          asked += 1;
          return token();
        },
      });
      const data = noise(350_000);
      await oss.multipartUpload(`${at}refreshed`, data, { partSize: 100 * 1024 });
      assert.deepEqual((await oss.get(`${at}refreshed`)).content, data);
      assert.ok(asked > 2);
    });

    test('a token that is not the key\'s', async () => {
      const { AccessKeyId, AccessKeySecret } = await token();
      const other = await token();
      const oss = new OSS({ ...common, accessKeyId: AccessKeyId, accessKeySecret: AccessKeySecret, stsToken: other.SecurityToken });
      assert.equal((await rejection(oss.put('x', Buffer.from('x')))).code, 'InvalidSecurityToken');
    });

    // ali-oss takes an IP address for a proxy: the bucket is in the Host header.
    test('an endpoint that is an IP address', async () => {
      const oss = new OSS({ accessKeyId, accessKeySecret, bucket, region: ossRegion, authorizationV4, endpoint: url });
      const data = noise(250_000);
      await oss.put(`${at}by ip`, data);
      await oss.multipartUpload(`${at}by ip, parts`, data, { partSize: 100 * 1024 });
      assert.deepEqual((await oss.get(`${at}by ip`)).content, data);
      assert.deepEqual((await oss.get(`${at}by ip, parts`)).content, data);
      assert.equal((await oss.listV2({ prefix: `${at}by ip` })).keyCount, 2);
    });
  });
}

test('assumeRole of ali-oss says what is wrong', async () => {
  const sts = new OSS.STS({ accessKeyId, accessKeySecret: 'wrong', endpoint: url });
  assert.equal((await rejection(sts.assumeRole(`acs:ram::${account}:role/r`))).code, 'SignatureDoesNotMatch');
  const good = new OSS.STS({ accessKeyId, accessKeySecret, endpoint: url });
  assert.equal((await rejection(good.assumeRole('acs:ram::1:role/r'))).status, 404);
});

// responses writes queries such as response-content-type as signatureUrl wants
// them: content-type.
function responses(queries) {
  return Object.fromEntries(Object.entries(queries).map(([name, value]) => [name.replace('response-', ''), value]));
}
