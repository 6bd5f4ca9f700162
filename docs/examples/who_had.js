// node who_had.js ENDPOINT INSTANCE: its network interfaces, by the cloud's own SDK (npm: @alicloud/pop-core)
const Core = require('@alicloud/pop-core');

const client = new Core({
  endpoint: process.argv[2], // http://127.0.0.1:8470
  apiVersion: '2014-05-26',
  accessKeyId: process.env.ALIBABA_CLOUD_ACCESS_KEY_ID,
  accessKeySecret: process.env.ALIBABA_CLOUD_ACCESS_KEY_SECRET,
});

client.request('DescribeNetworkInterfaces', { RegionId: 'cn-hangzhou', InstanceId: process.argv[3] }, { method: 'POST' })
  .then(({ NetworkInterfaceSets: { NetworkInterfaceSet } }) => {
    for (const eni of NetworkInterfaceSet) console.log(eni.PrivateIpAddress, 'PrimaryPrivate', eni.NetworkInterfaceId);
  })
  .catch((error) => { console.error(`${error.code}: ${error.message}`); process.exit(1); });
