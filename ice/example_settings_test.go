package ice_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/ice"
	"github.com/alimedia/alimedia-go/mediatest"
)

// Make a template of an output, make it the default, and list all.
func ExampleClient_CreateCustomTemplate() {
	srv := mediatest.Start()
	defer srv.Close()
	media, ctx := client(srv), context.Background()

	out, err := media.CreateCustomTemplate(ctx, ice.CreateCustomTemplateRequest{
		Name: "720p", Type: 1, Subtype: 1, // transcoding, normal
		TemplateConfig: ice.CustomTemplateConfig{
			Container: ice.TemplateContainer{Format: "mp4"},
			Video:     ice.TemplateVideo{Codec: "H.264", Width: "1280", Bitrate: "1500"},
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	id := out.CustomTemplate.TemplateId
	if _, err := media.SetDefaultCustomTemplate(ctx, ice.SetDefaultCustomTemplateRequest{TemplateId: id}); err != nil {
		log.Fatal(err)
	}
	for template, err := range media.ListCustomTemplatesIter(ctx, ice.ListCustomTemplatesRequest{Type: "1"}) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(template.TemplateName, template.IsDefault, template.TemplateConfig.Container.Format)
	}
	if _, err := media.DeleteCustomTemplate(ctx, ice.DeleteCustomTemplateRequest{TemplateId: id}); err != nil {
		log.Fatal(err)
	}
	_, err = media.GetCustomTemplate(ctx, ice.GetCustomTemplateRequest{TemplateId: id})
	fmt.Println("gone:", alimedia.IsNotFound(err))
	// Output:
	// 720p true mp4
	// gone: true
}

// Pause a queue of jobs, and see it among all.
func ExampleClient_CreatePipeline() {
	srv := mediatest.Start()
	defer srv.Close()
	media, ctx := client(srv), context.Background()

	out, err := media.CreatePipeline(ctx, ice.CreatePipelineRequest{Name: "night", Speed: "Standard", Priority: 3})
	if err != nil {
		log.Fatal(err)
	}
	if _, err := media.UpdatePipeline(ctx, ice.UpdatePipelineRequest{PipelineId: out.Pipeline.PipelineId, Status: "Paused"}); err != nil {
		log.Fatal(err)
	}
	all, err := media.ListPipelines(ctx, ice.ListPipelinesRequest{Speed: "Standard"})
	if err != nil {
		log.Fatal(err)
	}
	for _, pipeline := range all.PipelineList {
		if pipeline.PipelineId == out.Pipeline.PipelineId {
			fmt.Println(pipeline.Name, pipeline.Priority, pipeline.Status)
		}
	}
	if _, err := media.DeletePipeline(ctx, ice.DeletePipelineRequest{PipelineId: out.Pipeline.PipelineId}); err != nil {
		log.Fatal(err)
	}
	// Output: night 3 Paused
}

// Have the end of jobs told to a URL, signed with a key.
func ExampleClient_SetEventCallback() {
	srv := mediatest.Start()
	defer srv.Close()
	media, ctx := client(srv), context.Background()

	_, err := media.SetEventCallback(ctx, ice.SetEventCallbackRequest{
		CallbackType: "HTTP", CallbackURL: "https://example.com/events", EventTypeList: "ProduceMediaComplete",
		AuthSwitch: "on", AuthKey: "sixteen-letters-",
	})
	if err != nil {
		log.Fatal(err)
	}
	got, err := media.GetEventCallback(ctx)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(got.CallbackURL, got.EventTypeList, got.AuthKey) // the key is printed masked
	// Output: https://example.com/events ProduceMediaComplete ***
}

// Make a key that encrypts a film, and have the service decrypt it again for the player.
func ExampleClient_GenerateKMSDataKey() {
	srv := mediatest.Start()
	defer srv.Close()
	media, ctx := client(srv), context.Background()

	key, err := media.GenerateKMSDataKey(ctx)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(key.DataKey.Plaintext, key.DataKey.CiphertextBlob != "") // keep the ciphertext, never the key

	got, err := media.DecryptKMSDataKey(ctx, ice.DecryptKMSDataKeyRequest{CiphertextBlob: key.DataKey.CiphertextBlob})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(got.DataKey.Plaintext)
	// Output:
	// *** true
	// ***
}

// Start a conversation with an AI agent, and end it.
func ExampleClient_StartAIAgentInstance() {
	srv := mediatest.Start()
	defer srv.Close()
	media, ctx := client(srv), context.Background()

	out, err := media.StartAIAgentInstance(ctx, ice.StartAIAgentInstanceRequest{
		AIAgentId:     "agent",
		RuntimeConfig: ice.AIAgentRuntimeConfig{ChannelId: "room-1", AgentUserId: "assistant"},
		AgentConfig:   ice.AIAgentConfig{Greeting: "Hello", MaxIdleTime: 60}, // seconds
	})
	if err != nil {
		log.Fatal(err)
	}
	if _, err := media.StopAIAgentInstance(ctx, ice.StopAIAgentInstanceRequest{InstanceId: out.InstanceId}); err != nil {
		log.Fatal(err)
	}
	got, err := media.DescribeAIAgentInstance(ctx, ice.DescribeAIAgentInstanceRequest{InstanceId: out.InstanceId})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(got.Instance.Status, got.Instance.RuntimeConfig.ChannelId)
	// Output: Finished room-1
}

// Begin a production of Yike, and find it in the list.
func ExampleClient_CreateYikeProduction() {
	srv := mediatest.Start()
	defer srv.Close()
	media, ctx := client(srv), context.Background()

	out, err := media.CreateYikeProduction(ctx, ice.CreateYikeProductionRequest{Title: "Story", WorkspaceId: "space"})
	if err != nil {
		log.Fatal(err)
	}
	for production, err := range media.ListYikeProductionsIter(ctx, ice.ListYikeProductionsRequest{WorkspaceId: "space"}) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(production.Title, production.ProductionId == out.ProductionId)
	}
	// Output: Story true
}

// Read what the account has used in a day.
func ExampleClient_DescribeMeterImsSummary() {
	srv := mediatest.Start()
	defer srv.Close()
	media := client(srv)

	end := time.Now()
	usage, err := media.DescribeMeterImsSummary(context.Background(), ice.DescribeMeterImsSummaryRequest{
		StartTs: end.Add(-24 * time.Hour).Unix(), EndTs: end.Unix(),
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(usage.Data) > 0)
	// Output: true
}
