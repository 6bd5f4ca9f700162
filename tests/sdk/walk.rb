# SPDX-License-Identifier: Apache-2.0
# frozen_string_literal: true

# A life of network and addresses with fog-aliyun: walk.rb PORT KEY SECRET. Ruby 3 took URI.encode away, which
# it calls: here it is again.
require 'uri'
require 'json'
def URI.encode(text, unsafe = '')
  text.to_s.gsub(/[^A-Za-z0-9\-_.~]/) { |c| unsafe.empty? ? c : c.bytes.map { |b| format('%%%02X', b) }.join }
end
require 'fog/aliyun'

port, key, secret = ARGV
fog = Fog::Compute.new(provider: 'aliyun', aliyun_url: "http://127.0.0.1:#{port}", aliyun_accesskey_id: key,
                       aliyun_accesskey_secret: secret, aliyun_region_id: 'cn-hangzhou', aliyun_zone_id: 'cn-hangzhou-a')
calls = 0
call = lambda do |name, *args|
  calls += 1
  fog.public_send(name, *args).body
end
vpc = call.call(:create_vpc, '10.0.0.0/16', name: 'fog')['VpcId']
raise 'no vpc' unless call.call(:list_vpcs, vpc_id: vpc)['Vpcs']['Vpc'][0]['Status'] == 'Available'
vsw = call.call(:create_vswitch, vpc, '10.0.1.0/24', name: 'fog')['VSwitchId']
raise 'no vswitch' unless call.call(:list_vswitchs, vpc)['VSwitches']['VSwitch'][0]['VSwitchId'] == vsw
eip = call.call(:allocate_eip_address, bandwidth: '5')['AllocationId']
raise 'no eip' unless call.call(:list_eip_addresses, allocation_id: eip)['EipAddresses']['EipAddress'][0]['Bandwidth'] == '5'
call.call(:release_eip_address, eip)
call.call(:delete_vswitch, vsw)
call.call(:delete_vpc, vpc)
begin
  call.call(:delete_vpc, vpc)
  raise 'it is not gone'
rescue Excon::Error::NotFound, Fog::Errors::NotFound, StandardError => e
  raise unless e.message.include?('InvalidVpcId.NotFound')
end
puts({ calls: calls }.to_json)
