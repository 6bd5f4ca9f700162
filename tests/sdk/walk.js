// SPDX-License-Identifier: Apache-2.0
// One life of instance, interface and addresses, walked with an official SDK against a local server.
//   node walk.js CLIENT PORT KEY SECRET
// CLIENT: pop-get, pop-post, acs3, v2, generic. Prints one line of JSON: calls made, members of answers
// that the SDK's model lost or changed, waiters that finished, errors that were as they should be.
'use strict';

const [client, port, key, secret] = process.argv.slice(2);
const ZONE = 'cn-hangzhou-a';
const VPC = new Set(['CreateVpc', 'CreateVSwitch', 'DeleteVSwitch', 'DeleteVpc', 'DescribeVpcs', 'DescribeVSwitches',
  'AllocateEipAddress', 'AssociateEipAddress', 'UnassociateEipAddress', 'ReleaseEipAddress', 'DescribeEipAddresses']);
const stats = { client, calls: 0, mapped: 0, lost: [], waiters: 0, errors: 0 };

// What our answers have beyond the SDKs' models, which drop it.
const OWN = new RegExp('^(' + [
  '[A-Za-z]+\\.(Seq|Time|AsOfSeq|NextToken|TotalCount|PageNumber|PageSize)',
  'ConvertNatPublicIpToEip\\.(AllocationId|EipAddress)',
  'CreateNetworkInterface\\.(AssociatedPublicIp|Attachment|CreationTime|DeleteOnRelease|InstanceId)(\\..*)?',
  'DescribeInstanceAttribute\\.Tags(\\..*)?',
  '.*\\.Ipv6Set\\[\\]\\.Ipv6AddressId',
  'DescribeInstances\\..*\\.PrivateIpSet\\[\\]\\.AssociatedPublicIp(\\..*)?',
].join('|') + ')$');

function popCore(method) {
  const Core = require('@alicloud/pop-core');
  const make = (apiVersion) => new Core({ accessKeyId: key, accessKeySecret: secret, endpoint: `http://127.0.0.1:${port}`, apiVersion });
  const of = { ecs: make('2014-05-26'), vpc: make('2016-04-28') };
  return async (action, params) => {
    const flat = {};
    for (const [name, value] of Object.entries(params))
      Object.assign(flat, Array.isArray(value) ? Object.fromEntries(value.map((v, i) => [`${name}.${i + 1}`, v])) : { [name]: value });
    return of[VPC.has(action) ? 'vpc' : 'ecs'].request(action, { RegionId: 'cn-hangzhou', ...flat }, { method });
  };
}

// What the model kept of the answer, by the wire's names.
function wire(model) {
  if (Array.isArray(model)) return model.map(wire);
  if (model === null || typeof model !== 'object') return model;
  const names = model.constructor.names ? model.constructor.names() : {};
  const out = {};
  for (const [member, value] of Object.entries(model))
    if (value !== undefined) out[names[member] || member] = wire(value);
  return out;
}

function compare(raw, kept, path) {
  if (Array.isArray(raw)) {
    raw.forEach((item, i) => compare(item, (kept || [])[i], `${path}[]`));
  } else if (raw !== null && typeof raw === 'object') {
    for (const [name, value] of Object.entries(raw))
      if (!OWN.test(`${path}.${name}`)) compare(value, (kept || {})[name], `${path}.${name}`);
  } else if (raw !== kept) {
    stats.lost.push(`${path}: ${JSON.stringify(raw)} became ${JSON.stringify(kept)}`);
  } else {
    stats.mapped++;
  }
}

function generated(signatureAlgorithm) {
  const { $OpenApiUtil } = require('@alicloud/openapi-core');
  const config = () => new $OpenApiUtil.Config({ accessKeyId: key, accessKeySecret: secret, endpoint: `127.0.0.1:${port}`,
    protocol: 'http', regionId: 'cn-hangzhou', signatureAlgorithm });
  const load = (name) => { const m = require(name); return { Client: m.default, models: m }; };
  const sdk = { ecs: load('@alicloud/ecs20140526'), vpc: load('@alicloud/vpc20160428') };
  for (const product of Object.values(sdk)) product.client = new product.Client(config());
  return async (action, params) => {
    const product = sdk[VPC.has(action) ? 'vpc' : 'ecs'];
    const request = new product.models[`${action}Request`]({});
    const fields = product.models[`${action}Request`].names();
    for (const [field, name] of Object.entries(fields))
      if (params[name] !== undefined) request[field] = params[name];
    if (fields.regionId) request.regionId = 'cn-hangzhou';
    const method = action[0].toLowerCase() + action.slice(1);
    const seen = [];
    const inner = product.client.callApi;
    product.client.callApi = async function (...args) {
      const answer = await inner.apply(this, args);
      seen.push(JSON.parse(JSON.stringify(answer.body)));
      return answer;
    };
    let answer;
    try {
      answer = await product.client[method](request);
    } finally {
      product.client.callApi = inner;
    }
    compare(seen[0], wire(answer.body), action);
    return seen[0];
  };
}

function generic() {
  const OpenApi = require('@alicloud/openapi-client');
  const Util = require('@alicloud/tea-util');
  const api = new OpenApi.default(new OpenApi.Config({ accessKeyId: key, accessKeySecret: secret, endpoint: `127.0.0.1:${port}`,
    protocol: 'http' }));
  return async (action, params) => {
    const flat = {};
    for (const [name, value] of Object.entries(params))
      Object.assign(flat, Array.isArray(value) ? Object.fromEntries(value.map((v, i) => [`${name}.${i + 1}`, String(v)])) :
        { [name]: String(value) });
    const how = new OpenApi.Params({ action, version: VPC.has(action) ? '2016-04-28' : '2014-05-26', protocol: 'HTTP', method: 'POST',
      authType: 'AK', style: 'RPC', pathname: '/', reqBodyType: 'formData', bodyType: 'json' });
    const half = stats.calls % 2 === 0; // by turns in the query and in a chunked form
    const request = new OpenApi.OpenApiRequest(half ? { query: flat } : { body: flat });
    return (await api.callApi(how, request, new Util.RuntimeOptions({}))).body;
  };
}

const makers = { 'pop-get': () => popCore('GET'), 'pop-post': () => popCore('POST'), acs3: () => generated(undefined),
  v2: () => generated('v2'), generic };

makers.acs3.maps = makers.v2.maps = true;

async function wait(call, action, params, pick, wanted) {
  for (let i = 0; i < 15; i++) {
    if (pick(await call(action, params)) === wanted) {
      stats.waiters++;
      return;
    }
    await new Promise((done) => setTimeout(done, 100));
  }
  throw new Error(`${action} never says ${wanted}`);
}

async function refused(call, action, params, code) {
  try {
    await call(action, params);
  } catch (error) {
    const got = error.code || (error.data && error.data.Code);
    if (got !== code) throw new Error(`${action}: ${got} instead of ${code}: ${error.message}`);
    stats.errors++;
    return;
  }
  throw new Error(`${action} is not refused with ${code}`);
}

async function walk(raw) {
  const call = async (action, params) => {
    stats.calls++;
    const answer = await raw(action, params);
    if (!makers[client].maps) compare(answer, answer, action); // it has no model: what comes is kept
    return answer;
  };
  const { VpcId } = await call('CreateVpc', { CidrBlock: '10.0.0.0/16', VpcName: "sdk's (own) *~+ é" });
  await wait(call, 'DescribeVpcs', { VpcId }, (r) => r.Vpcs.Vpc[0].Status, 'Available');
  const { VSwitchId } = await call('CreateVSwitch', { VpcId, ZoneId: ZONE, CidrBlock: '10.0.1.0/24' });
  await wait(call, 'DescribeVSwitches', { VpcId }, (r) => r.VSwitches.VSwitch[0].Status, 'Available');
  const ran = await call('RunInstances', { VSwitchId, InstanceType: 'ecs.g6.large', ImageId: 'img', SecurityGroupId: 'sg-1',
    InternetMaxBandwidthOut: 5, Amount: 1, PrivateIpAddress: '10.0.1.10', ClientToken: `run-${client}` });
  const InstanceId = ran.InstanceIdSets.InstanceIdSet[0];
  const again = await call('RunInstances', { VSwitchId, InstanceType: 'ecs.g6.large', ImageId: 'img', SecurityGroupId: 'sg-1',
    InternetMaxBandwidthOut: 5, Amount: 1, PrivateIpAddress: '10.0.1.10', ClientToken: `run-${client}` });
  if (again.InstanceIdSets.InstanceIdSet[0] !== InstanceId) throw new Error('a retry is not a retry');
  await wait(call, 'DescribeInstances', { InstanceIds: JSON.stringify([InstanceId]) }, (r) => r.Instances.Instance[0].Status, 'Running');
  await call('DescribeInstanceAttribute', { InstanceId });
  await call('DescribeInstanceStatus', { InstanceId: [InstanceId] });
  const { NetworkInterfaceId } = await call('CreateNetworkInterface', { VSwitchId, SecurityGroupId: 'sg-1', PrimaryIpAddress: '10.0.1.20' });
  await call('AttachNetworkInterface', { InstanceId, NetworkInterfaceId });
  await wait(call, 'DescribeNetworkInterfaces', { NetworkInterfaceId: [NetworkInterfaceId] },
    (r) => r.NetworkInterfaceSets.NetworkInterfaceSet[0].Status, 'InUse');
  await call('AssignPrivateIpAddresses', { NetworkInterfaceId, PrivateIpAddress: ['10.0.1.21', '10.0.1.22'] });
  await refused(call, 'AssignPrivateIpAddresses', { NetworkInterfaceId, PrivateIpAddress: ['10.0.1.21'] }, 'InvalidIp.IpAssigned');
  const { AllocationId } = await call('AllocateEipAddress', { Bandwidth: '5', InternetChargeType: 'PayByTraffic', ClientToken: `eip-${client}` });
  await call('AssociateEipAddress', { AllocationId, InstanceId: NetworkInterfaceId, InstanceType: 'NetworkInterface', PrivateIpAddress: '10.0.1.21' });
  await wait(call, 'DescribeEipAddresses', { AllocationId }, (r) => r.EipAddresses.EipAddress[0].Status, 'InUse');
  await call('DescribeNetworkInterfaceAttribute', { NetworkInterfaceId });
  await call('ConvertNatPublicIpToEip', { InstanceId });
  const eips = await call('DescribeEipAddresses', { AssociatedInstanceType: 'EcsInstance', AssociatedInstanceId: InstanceId });
  const converted = eips.EipAddresses.EipAddress[0];
  await refused(call, 'ReleaseEipAddress', { AllocationId }, 'IncorrectEipStatus');
  await call('UnassociateEipAddress', { AllocationId, InstanceId: NetworkInterfaceId, InstanceType: 'NetworkInterface' });
  await call('ReleaseEipAddress', { AllocationId });
  await call('UnassociateEipAddress', { AllocationId: converted.AllocationId, InstanceId });
  await wait(call, 'DescribeEipAddresses', { AllocationId: converted.AllocationId }, (r) => r.EipAddresses.EipAddress[0].Status, 'Available');
  await call('ReleaseEipAddress', { AllocationId: converted.AllocationId });
  await call('UnassignPrivateIpAddresses', { NetworkInterfaceId, PrivateIpAddress: ['10.0.1.21', '10.0.1.22'] });
  await call('DetachNetworkInterface', { InstanceId, NetworkInterfaceId });
  await call('DeleteNetworkInterface', { NetworkInterfaceId });
  await call('StopInstance', { InstanceId });
  await wait(call, 'DescribeInstances', { InstanceIds: JSON.stringify([InstanceId]) }, (r) => r.Instances.Instance[0].Status, 'Stopped');
  await call('ModifyInstanceVpcAttribute', { InstanceId, VSwitchId, PrivateIpAddress: '10.0.1.30' });
  await call('StartInstance', { InstanceId });
  await call('DeleteInstance', { InstanceId, Force: true });
  await refused(call, 'DescribeInstanceAttribute', { InstanceId }, 'InvalidInstanceId.NotFound');
  await call('DeleteVSwitch', { VSwitchId });
  await call('DeleteVpc', { VpcId });
}

walk(makers[client]()).then(() => {
  console.log(JSON.stringify(stats));
}, (error) => {
  console.log(JSON.stringify({ ...stats, failed: String(error && error.stack || error).slice(0, 1500) }));
  process.exit(1);
});
