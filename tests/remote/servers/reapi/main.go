// Reapi passes gRPC calls on to a server of the Remote Execution API, and says
// of it what clients older than the server want to hear.
//
// BuildBox speaks 2.1 and newer, Bazel 7 announces 2.0 and refuses a server that
// does not. What they exchange is the same in both.
package main

import (
	"flag"
	"fmt"
	"io"
	"log"
	"net"

	"github.com/buchgr/bazel-remote/v2/genproto/build/bazel/remote/execution/v2"
	"github.com/buchgr/bazel-remote/v2/genproto/build/bazel/semver"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"
)

const largest = 64 << 20 // bytes of a message; Bazel's are under 4 MiB

func main() {
	log.SetFlags(0)
	log.SetPrefix("reapi: ")
	to := flag.String("to", "", "address of the server, as HOST:PORT")
	listen := flag.String("listen", "127.0.0.1:0", "address to be called at, as HOST:PORT")
	flag.Parse()

	server, err := grpc.NewClient("passthrough:///"+*to,
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.ForceCodecV2(raw{}), grpc.MaxCallRecvMsgSize(largest)))
	if err != nil {
		log.Fatalf("calling %s: %v", *to, err)
	}
	listener, err := net.Listen("tcp", *listen)
	if err != nil {
		log.Fatal(err)
	}
	log.Fatal(grpc.NewServer(
		grpc.ForceServerCodecV2(raw{}),
		grpc.MaxRecvMsgSize(largest),
		grpc.UnknownServiceHandler(func(_ any, client grpc.ServerStream) error { return passOn(client, server) }),
	).Serve(listener))
}

// passOn copies messages in both directions until the server ends the call.
func passOn(client grpc.ServerStream, server *grpc.ClientConn) error {
	method, _ := grpc.MethodFromServerStream(client)
	headers, _ := metadata.FromIncomingContext(client.Context())
	call, err := server.NewStream(metadata.NewOutgoingContext(client.Context(), headers),
		&grpc.StreamDesc{ClientStreams: true, ServerStreams: true}, method)
	if err != nil {
		return err
	}
	go func() {
		for {
			var message []byte
			if client.RecvMsg(&message) != nil || call.SendMsg(&message) != nil {
				call.CloseSend()
				return
			}
		}
	}()
	for {
		var message []byte
		if err := call.RecvMsg(&message); err == io.EOF {
			return nil
		} else if err != nil {
			return err // a status, which the client gets as it is
		}
		if method == remoteexecution.Capabilities_GetCapabilities_FullMethodName {
			if message, err = withOldest(message); err != nil {
				return err
			}
		}
		if err := client.SendMsg(&message); err != nil {
			return err
		}
	}
}

// withOldest sets the oldest version of the API in an answer to GetCapabilities.
func withOldest(message []byte) ([]byte, error) {
	var capabilities remoteexecution.ServerCapabilities
	if err := proto.Unmarshal(message, &capabilities); err != nil {
		return nil, fmt.Errorf("reading the server's capabilities: %w", err)
	}
	capabilities.LowApiVersion = &semver.SemVer{Major: 2}
	return proto.Marshal(&capabilities)
}

// raw leaves messages as they are. They are *[]byte.
type raw struct{}

var _ encoding.CodecV2 = raw{}

func (raw) Name() string { return "proto" }

func (raw) Marshal(v any) (mem.BufferSlice, error) {
	return mem.BufferSlice{mem.SliceBuffer(*v.(*[]byte))}, nil
}

func (raw) Unmarshal(data mem.BufferSlice, v any) error {
	*v.(*[]byte) = data.Materialize()
	return nil
}
