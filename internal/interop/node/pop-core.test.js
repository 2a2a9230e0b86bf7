// @alicloud/pop-core, Alibaba's core SDK for JavaScript, with the older signature
// in the query (GET) and in the form (POST).
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import RPCClient from '@alicloud/pop-core';
import OSS from 'ali-oss';
import { accessKeyId, accessKeySecret, account, bucket, ossEndpoint, rejection, url } from './server.js';

const versions = { vod: '2017-03-21', ice: '2020-11-09', sts: '2015-04-01' };

const client = (service, keys = { accessKeyId, accessKeySecret }) => new RPCClient({ ...keys, endpoint: url, apiVersion: versions[service] });

for (const method of ['GET', 'POST']) {
  describe(`@alicloud/pop-core by ${method}`, () => {
    const vod = client('vod');
    const ice = client('ice');
    const call = (core, action, params) => core.request(action, params, { method });
    const title = `it's a title (é) *~ +%26 ${method}`;

    test('a video from its creation to its deletion', async () => {
      const category = await call(vod, 'AddCategory', { CateName: `holidays ${method}` });
      assert.ok(category.Category.CateId);
      const made = await call(vod, 'CreateUploadVideo', {
        Title: title, FileName: 'a.mp4', Tags: 'x,y', CateId: category.Category.CateId, UserData: JSON.stringify({ Extend: { a: 1 } }),
      });
      assert.ok(made.VideoId && made.UploadAddress && made.UploadAuth && made.RequestId);
      assert.equal((await call(vod, 'RefreshUploadVideo', { VideoId: made.VideoId })).VideoId, made.VideoId);
      const info = await call(vod, 'GetVideoInfo', { VideoId: made.VideoId });
      assert.equal(info.Video.Title, title);
      assert.equal(info.Video.Status, 'Uploading');
      await call(vod, 'UpdateVideoInfo', { VideoId: made.VideoId, Description: 'new' });
      const infos = await call(vod, 'GetVideoInfos', { VideoIds: `${made.VideoId},none` });
      assert.equal(infos.VideoList[0].Description, 'new');
      assert.deepEqual(infos.NonExistVideoIds, ['none']);
      const listed = await call(vod, 'GetVideoList', { CateId: category.Category.CateId, PageNo: 1, PageSize: 10 });
      assert.equal(listed.Total, 1);
      const found = await call(vod, 'SearchMedia', { Match: `Tags = 'x' and CateId = ${category.Category.CateId}`, Fields: 'Title,Tags' });
      assert.equal(found.MediaList[0].MediaId, made.VideoId);
      const image = await call(vod, 'CreateUploadImage', { ImageType: 'default', ImageExt: 'png' });
      assert.ok(image.ImageId && image.ImageURL);
      await call(vod, 'DeleteVideo', { VideoIds: made.VideoId });
      const err = await rejection(call(vod, 'GetVideoInfo', { VideoId: made.VideoId }));
      assert.equal(err.code, 'InvalidVideo.NotFound');
      assert.equal(err.entry.response.statusCode, 404);
      assert.ok(err.data.RequestId);
    });

    test('an asset, a job and a template of ICE', async () => {
      const { endpoint, sldEnable } = ossEndpoint;
      await new OSS({ accessKeyId, accessKeySecret, bucket, endpoint, sldEnable }).put(`${method}.mp4`, Buffer.from('movie'));
      const InputURL = `https://${bucket}.oss-cn-shanghai.aliyuncs.com/${method}.mp4`;
      const { MediaId } = await call(ice, 'RegisterMediaInfo', { InputURL, Title: title, MediaType: 'video', ReferenceId: `ref-${method}-1` });
      const got = await call(ice, 'GetMediaInfo', { MediaId });
      assert.equal(got.MediaInfo.MediaBasicInfo.Title, title);
      await call(ice, 'UpdateMediaInfo', { MediaId, Description: 'new' });
      const batch = await call(ice, 'BatchGetMediaInfos', { MediaIds: MediaId });
      assert.equal(batch.MediaInfos[0].MediaBasicInfo.Description, 'new');
      const listed = await call(ice, 'ListMediaBasicInfos', { MediaType: 'video', MaxResults: 10, IncludeFileBasicInfo: true });
      assert.ok(listed.MediaInfos.some((m) => m.MediaId === MediaId));
      const job = await call(ice, 'SubmitMediaProducingJob', {
        Timeline: JSON.stringify({ VideoTracks: [{ VideoTrackClips: [{ MediaId }] }] }),
        OutputMediaConfig: JSON.stringify({ MediaURL: `https://${bucket}.oss-cn-shanghai.aliyuncs.com/out-${method}.mp4` }),
      });
      const state = await call(ice, 'GetMediaProducingJob', { JobId: job.JobId });
      assert.equal(state.MediaProducingJob.JobId, job.JobId);
      const template = await call(ice, 'AddTemplate', { Name: 'n', Type: 'Timeline', Config: '{}' });
      assert.ok(template.Template.TemplateId);
      await call(ice, 'DeleteMediaInfos', { MediaIds: MediaId });
      assert.equal((await rejection(call(ice, 'GetMediaInfo', { MediaId }))).entry.response.statusCode, 404);
    });

    test('errors with their codes', async () => {
      assert.equal((await rejection(call(vod, 'CreateUploadVideo', { Title: 't' }))).code, 'MissingParameter');
      assert.equal((await rejection(call(vod, 'NoSuchOperation', {}))).code, 'InvalidApi.NotFound');
      const wrong = client('vod', { accessKeyId, accessKeySecret: 'wrong' });
      assert.equal((await rejection(call(wrong, 'GetVideoList', {}))).code, 'SignatureDoesNotMatch');
      const nobody = client('vod', { accessKeyId: 'nobody', accessKeySecret: 'x' });
      assert.equal((await rejection(call(nobody, 'GetVideoList', {}))).code, 'InvalidAccessKeyId.NotFound');
    });

    test('keys of STS', async () => {
      const { Credentials: c } = await call(client('sts'), 'AssumeRole', {
        RoleArn: `acs:ram::${account}:role/uploader`, RoleSessionName: 'interop', DurationSeconds: 900,
      });
      const keys = { accessKeyId: c.AccessKeyId, accessKeySecret: c.AccessKeySecret };
      const identity = await call(client('sts', { ...keys, securityToken: c.SecurityToken }), 'GetCallerIdentity', {});
      assert.equal(identity.AccountId, account);
      assert.match(identity.Arn, /assumed-role\/uploader\/interop$/);
      assert.ok((await call(client('vod', { ...keys, securityToken: c.SecurityToken }), 'GetVideoList', {})).RequestId);
      assert.equal((await rejection(call(client('vod', keys), 'GetVideoList', {}))).code, 'MissingSecurityToken');
    });
  });
}
