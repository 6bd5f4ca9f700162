#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Given: MessagePack-RPC clients from the field: Neovim itself, and pynvim.
Claimed: they call CreateVpc and read it back. What is not installed is skipped by name."""
import shutil
import subprocess

from ledger import Server, Tap, skip

LUA = """
local c = vim.fn.sockconnect('pipe', '%s', {rpc = true})
local made = vim.rpcrequest(c, 'CreateVpc', {CidrBlock = '10.0.0.0/16', VpcName = 'from-neovim'})
local read = vim.rpcrequest(c, 'DescribeVpcs', {VpcId = made.VpcId})
local ok, why = pcall(vim.rpcrequest, c, 'DeleteVpc', {VpcId = 'vpc-nothing'})
io.stdout:write(read.Vpcs.Vpc[1].VpcName .. '|' .. tostring(ok) .. '|' .. tostring(why))
"""


def by_neovim(tap, server):
    done = subprocess.run(["nvim", "--headless", "--clean", "-c", "lua " + " ".join(
        (LUA % server.socket).split("\n")), "-c", "qa!"], capture_output=True, text=True, timeout=60)
    out = done.stdout + done.stderr
    tap.ok("from-neovim|false|" in out and "InvalidVpcId.NotFound" in out,
           "Neovim calls CreateVpc, reads it back, and sees a refusal", out)


def by_pynvim(tap, server):
    from pynvim.msgpack_rpc import socket_session
    session = socket_session(server.socket)
    made = session.request("CreateVpc", {"CidrBlock": "10.1.0.0/16", "VpcName": "from-pynvim"})
    made = {k.decode() if isinstance(k, bytes) else k: v for k, v in made.items()}
    read = session.request("DescribeVpcs", {"VpcId": made["VpcId"]})
    tap.ok("from-pynvim" in str(read), "pynvim calls CreateVpc and reads it back", read)
    session.close()


def main():
    clients = []
    if shutil.which("nvim"):
        clients.append(by_neovim)
    try:
        import pynvim  # noqa: F401
        clients.append(by_pynvim)
    except ImportError:
        pass
    if not clients:
        skip("neither Neovim nor pynvim is installed")
    tap = Tap()
    server = Server()
    for client in clients:
        client(tap, server)
    server.remove()
    tap.end()


main()
