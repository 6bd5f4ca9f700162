// who_had SOCKET ADDRESS: who has an address (apt: golang-github-vmihailenco-msgpack.v5-dev)
package main

import (
	"fmt"
	"net"
	"os"

	"github.com/vmihailenco/msgpack/v5"
)

func main() {
	conn, err := net.Dial("unix", os.Args[1])
	if err != nil {
		panic(err)
	}
	params := map[string]string{"Address": os.Args[2]}
	request := []any{0, 1, "LookupAddress", []any{params}}
	if err = msgpack.NewEncoder(conn).Encode(request); err != nil {
		panic(err)
	}
	answer, err := msgpack.NewDecoder(conn).DecodeSlice() // [1, msgid, error, result]
	if err != nil || answer[2] != nil {
		panic(fmt.Sprint(err, answer))
	}
	for _, each := range answer[3].(map[string]any)["Holdings"].([]any) {
		holding := each.(map[string]any)
		fmt.Println(holding["Address"], holding["Kind"], holding["NetworkInterfaceId"])
	}
}
