module github.com/symphony-datafeed/symphony-datafeed/bindings/go

go 1.24
