// What Alibaba's typed packages of today are made of: @alicloud/openapi-core and
// its predecessor @alicloud/openapi-client with the signature ACS3-HMAC-SHA256,
// @alicloud/credentials, and as one of the typed packages @alicloud/sts20150401.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import credentials from '@alicloud/credentials';
import openapiClient from '@alicloud/openapi-client';
import openapiCore from '@alicloud/openapi-core';
import sts20150401 from '@alicloud/sts20150401';
import dara from '@darabonba/typescript';
import teaUtil from '@alicloud/tea-util';
import { accessKeyId, accessKeySecret, account, region, rejection, tlsHost, url } from './server.js';

const versions = { vod: '2017-03-21', ice: '2020-11-09' };
const endpoint = new URL(url).host;

// kinds are the two generations of the client, with the types of each.
const kinds = {
  '@alicloud/openapi-core': { Client: openapiCore.default, types: openapiCore.$OpenApiUtil, Runtime: dara.RuntimeOptions },
  '@alicloud/openapi-client': { Client: openapiClient.default, types: openapiClient, Runtime: teaUtil.RuntimeOptions },
};

for (const [name, { Client, types, Runtime }] of Object.entries(kinds)) {
  // call does what a method of a typed package does.
  const open = (config) => {
    const core = new Client(new types.Config({ protocol: 'HTTP', endpoint, regionId: region, ...config }));
    return (service, action, { query = {}, body }) => core.callApi(new types.Params({
      action, version: versions[service], protocol: 'HTTPS', pathname: '/', method: 'POST', authType: 'AK', style: 'RPC', reqBodyType: 'formData', bodyType: 'json',
    }), new types.OpenApiRequest({ query, body }), new Runtime({}));
  };

  describe(name, () => {
    const call = open({ accessKeyId, accessKeySecret });
    const title = `it's a title (é) *~ +%26 ${name}`;

    test('videos of VOD', async () => {
      const made = await call('vod', 'CreateUploadVideo', { query: { Title: title, FileName: 'a.mp4', Tags: name, UserData: '{"Extend":{"a":1}}' } });
      assert.equal(made.statusCode, 200);
      assert.ok(made.headers['x-acs-request-id']);
      const { VideoId } = made.body;
      const info = await call('vod', 'GetVideoInfo', { query: { VideoId } });
      assert.equal(info.body.Video.Title, title);
      const page = await call('vod', 'SearchMedia', { query: { Match: `Tags = '${name}'`, PageNo: 1, PageSize: 10 } });
      assert.deepEqual(page.body.MediaList.map((m) => m.MediaId), [VideoId]);
      const group = await call('vod', 'AddTranscodeTemplateGroup', { query: { Name: 'n', TranscodeTemplateList: '[{"TemplateName":"t","Definition":"LD"}]' } });
      assert.ok(group.body.TranscodeTemplateGroupId);
      const listed = await call('vod', 'ListTranscodeTemplateGroup', {});
      assert.ok(listed.body.TranscodeTemplateGroupList.length > 0);
      await call('vod', 'DeleteVideo', { query: { VideoIds: VideoId } });
      const err = await rejection(call('vod', 'GetVideoInfo', { query: { VideoId } }));
      assert.equal(err.code, 'InvalidVideo.NotFound');
      assert.equal(err.data.statusCode ?? err.statusCode, 404);
    });

    test('ICE, with parameters in the form', async () => {
      const project = await call('ice', 'CreateEditingProject', { query: { Title: title }, body: { Timeline: '{"VideoTracks":[]}' } });
      const { ProjectId } = project.body.Project;
      const got = await call('ice', 'GetEditingProject', { query: { ProjectId } });
      assert.equal(got.body.Project.Title, title);
      await call('ice', 'UpdateEditingProject', { query: { ProjectId, Description: 'new' } });
      const found = await call('ice', 'ListEditingProjects', { query: { MaxResults: 10 } });
      assert.ok(found.body.ProjectList.some((p) => p.ProjectId === ProjectId && p.Description === 'new'));
      await call('ice', 'DeleteEditingProjects', { query: { ProjectIds: ProjectId } });
      assert.ok((await rejection(call('ice', 'GetEditingProject', { query: { ProjectId } }))).code);
    });

    test('errors', async () => {
      assert.equal((await rejection(call('vod', 'CreateUploadVideo', { query: { Title: 't' } }))).code, 'MissingParameter');
      assert.equal((await rejection(open({ accessKeyId, accessKeySecret: 'wrong' })('vod', 'GetVideoList', {}))).code, 'SignatureDoesNotMatch');
    });

    test('the role of @alicloud/credentials', async () => {
      const credential = new credentials.default(new credentials.Config({
        type: 'ram_role_arn', accessKeyId, accessKeySecret, roleArn: `acs:ram::${account}:role/uploader`, roleSessionName: 'interop', stsEndpoint: tlsHost,
      }));
      const { securityToken } = await credential.getCredential();
      assert.ok(securityToken);
      const out = await open({ credential })('vod', 'GetVideoList', {});
      assert.ok(out.body.RequestId);
    });
  });
}

describe('@alicloud/sts20150401', () => {
  const Sts = sts20150401.default;
  const open = (config) => new Sts(new openapiCore.$OpenApiUtil.Config({ endpoint: tlsHost, regionId: region, ...config }));

  test('assumeRole and getCallerIdentity, by TLS', async () => {
    const out = await open({ accessKeyId, accessKeySecret }).assumeRole(new sts20150401.AssumeRoleRequest({
      roleArn: `acs:ram::${account}:role/uploader`, roleSessionName: 'interop', durationSeconds: 900,
    }));
    const keys = out.body.credentials;
    assert.ok(keys.securityToken && keys.expiration);
    const me = await open({ accessKeyId: keys.accessKeyId, accessKeySecret: keys.accessKeySecret, securityToken: keys.securityToken }).getCallerIdentity();
    assert.equal(me.body.accountId, account);
    assert.equal(me.body.identityType, 'AssumedRoleUser');
  });

  test('errors', async () => {
    const err = await rejection(open({ accessKeyId, accessKeySecret }).assumeRole(new sts20150401.AssumeRoleRequest({
      roleArn: 'acs:ram::1:role/uploader', roleSessionName: 'interop',
    })));
    assert.equal(err.code, 'EntityNotExist.Role');
  });
});
