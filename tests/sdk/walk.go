// SPDX-License-Identifier: Apache-2.0

// One life walked with denverdino/aliyungo, which converts no type: walk PORT KEY SECRET
package main

import (
	"encoding/json"
	"fmt"
	"os"

	"github.com/denverdino/aliyungo/common"
	"github.com/denverdino/aliyungo/ecs"
)

const region = common.Region("cn-hangzhou")

var calls int

func check(what string, err error) {
	calls++
	if err != nil {
		fmt.Printf("{\"failed\":%q}\n", what+": "+err.Error())
		os.Exit(1)
	}
}

func main() {
	c := ecs.NewClientWithEndpoint("http://127.0.0.1:"+os.Args[1]+"/", os.Args[2], os.Args[3])
	vpc, err := c.CreateVpc(&ecs.CreateVpcArgs{RegionId: region, CidrBlock: "10.0.0.0/16", VpcName: "go's *~+ é"})
	check("CreateVpc", err)
	check("WaitForVpcAvailable", c.WaitForVpcAvailable(region, vpc.VpcId, 10))
	vsw, err := c.CreateVSwitch(&ecs.CreateVSwitchArgs{ZoneId: "cn-hangzhou-a", CidrBlock: "10.0.1.0/24", VpcId: vpc.VpcId})
	check("CreateVSwitch", err)
	check("WaitForVSwitchAvailable", c.WaitForVSwitchAvailable(vpc.VpcId, vsw, 10))
	i, err := c.CreateInstance(&ecs.CreateInstanceArgs{RegionId: region, ZoneId: "cn-hangzhou-a", ImageId: "img", InstanceType: "ecs.g6.large",
		SecurityGroupId: "sg-1", VSwitchId: vsw, PrivateIpAddress: "10.0.1.9", InternetMaxBandwidthOut: 5,
		InternetChargeType: common.PayByTraffic})
	check("CreateInstance", err)
	check("StartInstance", c.StartInstance(i))
	check("WaitForInstance", c.WaitForInstance(i, ecs.Running, 10))
	ip, err := c.AllocatePublicIpAddress(i)
	check("AllocatePublicIpAddress", err)
	one, err := c.DescribeInstanceAttribute(i)
	check("DescribeInstanceAttribute", err)
	if one.PublicIpAddress.IpAddress[0] != ip || one.VpcAttributes.PrivateIpAddress.IpAddress[0] != "10.0.1.9" {
		check("the addresses are there", fmt.Errorf("%+v", one))
	}
	list, page, err := c.DescribeInstances(&ecs.DescribeInstancesArgs{RegionId: region, VpcId: vpc.VpcId})
	check("DescribeInstances", err)
	if len(list) != 1 || page.TotalCount != 1 || page.PageNumber != 1 {
		check("one instance", fmt.Errorf("%+v %+v", list, page))
	}
	_, _, err = c.DescribeInstanceStatus(&ecs.DescribeInstanceStatusArgs{RegionId: region})
	check("DescribeInstanceStatus", err)
	eni, err := c.CreateNetworkInterface(&ecs.CreateNetworkInterfaceArgs{RegionId: region, VSwitchId: vsw, SecurityGroupId: "sg-1"})
	check("CreateNetworkInterface", err)
	check("AttachNetworkInterface", c.AttachNetworkInterface(&ecs.AttachNetworkInterfaceArgs{RegionId: region, InstanceId: i, NetworkInterfaceId: eni.NetworkInterfaceId}))
	check("WaitForNetworkInterface", c.WaitForNetworkInterface(region, eni.NetworkInterfaceId, "InUse", 10))
	_, err = c.DetachNetworkInterface(&ecs.DetachNetworkInterfaceArgs{RegionId: region, InstanceId: i, NetworkInterfaceId: eni.NetworkInterfaceId})
	check("DetachNetworkInterface", err)
	address, eip, err := c.AllocateEipAddress(&ecs.AllocateEipAddressArgs{RegionId: region, Bandwidth: 5, ClientToken: "go *~ "})
	check("AllocateEipAddress", err)
	check("NewAssociateEipAddress", c.NewAssociateEipAddress(&ecs.AssociateEipAddressArgs{AllocationId: eip, InstanceId: eni.NetworkInterfaceId, InstanceType: "NetworkInterface"}))
	check("WaitForEip", c.WaitForEip(region, eip, ecs.EipStatusInUse, 10))
	eips, _, err := c.DescribeEipAddresses(&ecs.DescribeEipAddressesArgs{RegionId: region, AllocationId: eip})
	check("DescribeEipAddresses", err)
	if eips[0].IpAddress != address || eips[0].Bandwidth != "5" {
		check("the EIP", fmt.Errorf("%+v", eips))
	}
	err = c.ReleaseEipAddress(eip)
	if e, ok := err.(*common.Error); !ok || e.Code != "IncorrectEipStatus" {
		check("a refusal with its code", fmt.Errorf("%v", err))
	}
	check("ModifyEipAddressAttribute", c.ModifyEipAddressAttribute(eip, 7))
	check("UnassociateEipAddress", c.UnassociateEipAddress(eip, eni.NetworkInterfaceId))
	check("ReleaseEipAddress", c.ReleaseEipAddress(eip))
	_, err = c.DeleteNetworkInterface(&ecs.DeleteNetworkInterfaceArgs{RegionId: region, NetworkInterfaceId: eni.NetworkInterfaceId})
	check("DeleteNetworkInterface", err)
	check("StopInstance", c.StopInstance(i, false))
	check("DeleteInstance", c.DeleteInstance(i))
	check("DeleteVSwitch", c.DeleteVSwitch(vsw))
	check("DeleteVpc", c.DeleteVpc(vpc.VpcId))
	out, _ := json.Marshal(map[string]int{"calls": calls})
	fmt.Println(string(out))
}
