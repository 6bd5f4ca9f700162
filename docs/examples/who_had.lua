-- who_had.lua: who has an address. Neovim speaks MessagePack-RPC by itself:
--     SOCKET=… ADDRESS=10.0.1.1 nvim --headless --clean -c 'luafile who_had.lua' -c 'qa!'
local channel = vim.fn.sockconnect('pipe', vim.env.SOCKET, { rpc = true })
local found = vim.rpcrequest(channel, 'LookupAddress', { Address = vim.env.ADDRESS })
for _, holding in ipairs(found.Holdings) do
  io.stdout:write(holding.Address .. ' ' .. holding.Kind .. ' ' .. holding.NetworkInterfaceId .. '\n')
end
