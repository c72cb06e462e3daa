package main

import "golang.org/x/sys/unix"

func init() {
	systemCalls["access"] = unix.SYS_ACCESS
	systemCalls["getrlimit"] = unix.SYS_GETRLIMIT
	systemCalls["open"] = unix.SYS_OPEN
}
