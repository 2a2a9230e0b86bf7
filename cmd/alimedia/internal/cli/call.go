package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/cmd/alimedia/internal/answer"
	"github.com/alimedia/alimedia-go/cmd/alimedia/internal/operation"
	"github.com/alimedia/alimedia-go/cmd/alimedia/internal/screen"
	"github.com/alimedia/alimedia-go/internal/catalogue"
)

// call is one run of the command call.
type call struct {
	*app
	op     *catalogue.Operation
	params *operation.Params

	query   string
	raw     bool
	all     bool
	limit   int
	secrets bool
	compile answer.Query
}

func newCallCommand(a *app) *cobra.Command {
	c := &call{app: a}
	cmd := &cobra.Command{
		Use:   "call PRODUCT OPERATION [KEY=VALUE...]",
		Short: "Call any operation of VOD and ICE",
		Long: `call sends one operation and prints the response as JSON.

PRODUCT is vod or ice. Names are those of the API reference; their case does
not matter. Without an operation, call lists those of the product. What an
operation takes: alimedia call PRODUCT OPERATION --help

A value is checked against the documentation before it is sent:
  Title=Launch              text, number, true or false
  Title=@title.txt          the content of a file; @- is standard input, @@ is @
  MediaIds.1=a MediaIds.2=b a list
  UserData='{"k":"v"}'      a JSON document
  UserData.k=v              the same, by its parts; "123" in quotes stays text

Secrets in the response, such as UploadAuth, are shown as *** unless
--show-secrets is set. A secret parameter is read from a file or from
standard input.`,
		Example: `  alimedia call vod GetVideoInfo VideoId=93ab850b4f6f46e91d24d81d4
  alimedia call vod SearchMedia Match="Title = 'launch'" --query 'MediaList[].MediaId' --raw
  alimedia call ice ListMediaBasicInfos --all > media.jsonl`,
		ValidArgsFunction: c.complete,
		RunE:              func(_ *cobra.Command, args []string) error { return c.run(args) },
	}
	flags := cmd.Flags()
	flags.StringVar(&c.query, "query", "", "select from the response with a JMESPath expression; with --all, from each item")
	flags.BoolVarP(&c.raw, "raw", "r", false, "print strings that --query selects without quotes, lists one item a line")
	flags.BoolVar(&c.all, "all", false, "follow the pages, and print each item as one line of JSON")
	flags.IntVar(&c.limit, "limit", 0, "with --all, stop after this number of items (0: no limit)")
	flags.BoolVar(&c.secrets, "show-secrets", false, "print secrets of the response, such as UploadAuth")
	usual := cmd.HelpFunc()
	cmd.SetHelpFunc(func(cmd *cobra.Command, args []string) {
		if err := c.help(cmd.Flags().Args()); err != nil {
			usual(cmd, args)
		}
	})
	return cmd
}

var errNoOperation = errors.New("no operation is named")

// find is the operation that the first two arguments name.
func findOperation(args []string) (*catalogue.Operation, error) {
	if len(args) < 2 {
		return nil, errNoOperation
	}
	product, err := operation.Product(args[0])
	if err != nil {
		return nil, err
	}
	return operation.Find(product, args[1])
}

func (c *call) run(args []string) error {
	if len(args) < 2 {
		return c.list(args)
	}
	var err error
	if c.op, err = findOperation(args); err != nil {
		return asUsage(err)
	}
	if err := c.checkFlags(); err != nil {
		return err
	}
	if c.params, err = operation.Parse(c.op, args[2:], c.read); err != nil {
		return usagef("%w\nRun 'alimedia call %s %s --help' for its parameters.", err, c.op.Service, c.op.Action)
	}
	do, err := c.client()
	if err != nil {
		return err
	}
	if c.all {
		return c.follow(do)
	}
	out, err := do(c.ctx, c.params.Request())
	if err != nil {
		return err
	}
	return c.show(out, !c.flags.json)
}

func (c *call) checkFlags() (err error) {
	switch {
	case c.limit < 0:
		return usagef("--limit %d is negative", c.limit)
	case c.limit > 0 && !c.all:
		return usagef("--limit needs --all")
	case c.raw && c.query == "":
		return usagef("--raw needs --query")
	case c.all && !operation.Paged(c.op):
		return usagef("%s %w", c.op.Action, operation.ErrPages)
	}
	c.compile, err = answer.Compile(c.query)
	return asUsage(err)
}

// client sends requests of the operation.
func (c *call) client() (operation.Send, error) {
	cfg, err := c.config()
	if err != nil {
		return nil, err
	}
	if c.op.Regions != "" && cfg.Endpoint == "" && !slices.Contains(strings.Fields(c.op.Regions), cfg.Region) {
		return nil, usagef("%s is offered only in %s, and the region is %s", c.op.Action, strings.Join(strings.Fields(c.op.Regions), ", "), cfg.Region)
	}
	var do func(context.Context, string, any, any) error
	if c.op.Service == "vod" {
		client, err := c.vod()
		if err != nil {
			return nil, err
		}
		do = client.Do
	} else {
		client, err := c.ice()
		if err != nil {
			return nil, err
		}
		do = client.Do
	}
	return func(ctx context.Context, request any) (out map[string]any, err error) {
		err = repeat(ctx, c.op, func() error { return do(ctx, c.op.Action, request, &out) })
		return out, err
	}, nil
}

const (
	readAttempts = 3
	readDelay    = time.Second
)

// repeat sends a read again after a failure that may pass. A client's Do does
// not know that it is one.
func repeat(ctx context.Context, op *catalogue.Operation, send func() error) error {
	for attempt := 1; ; attempt++ {
		err := send()
		var api *alimedia.Error
		isAPI := errors.As(err, &api)
		passing := isAPI && api.Retryable() && !alimedia.IsThrottled(err) || !isAPI && errors.Is(err, alimedia.ErrOutcomeUnknown)
		if err == nil || op.Class != "Read" || !passing || ctx.Err() != nil {
			return err
		}
		if attempt == readAttempts {
			if isAPI {
				return api // nothing was carried out
			}
			return err
		}
		select {
		case <-time.After(readDelay * time.Duration(attempt)):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// follow prints the items of all pages.
func (c *call) follow(do operation.Send) error {
	count := 0
	for item, err := range c.params.All(c.ctx, do) {
		if err != nil {
			return err
		}
		if err := c.show(item, false); err != nil {
			return err
		}
		if count++; count == c.limit {
			break
		}
	}
	return nil
}

// show prints a response, or an item of one.
func (c *call) show(v any, indent bool) error {
	if !c.secrets {
		v = answer.Mask(v)
	}
	found, err := c.compile.Of(v)
	if err != nil {
		return asUsage(err)
	}
	var text []byte
	if c.raw {
		text, err = answer.Text(found, screen.Clean)
	} else {
		text, err = answer.JSON(found, indent)
	}
	if err != nil {
		return err
	}
	_, err = c.out.Write(text)
	return err
}

// maxValue bounds what is read from a file for one parameter.
const maxValue = 4 << 20

// read is the text of a file, or of standard input.
func (a *app) read(name string) (string, error) {
	r := a.in
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return "", err
		}
		defer f.Close()
		r = f
	}
	data, err := io.ReadAll(io.LimitReader(r, maxValue+1))
	switch {
	case err != nil:
		return "", fmt.Errorf("%s: %w", inputName(name), err)
	case len(data) > maxValue:
		return "", fmt.Errorf("%s has more than %d bytes", inputName(name), maxValue)
	}
	return strings.TrimSuffix(strings.TrimSuffix(string(data), "\n"), "\r"), nil
}

func inputName(name string) string {
	if name == "-" {
		return "standard input"
	}
	return name
}

// complete proposes products, operations, parameters and their values.
func (c *call) complete(_ *cobra.Command, args []string, word string) ([]string, cobra.ShellCompDirective) {
	all, directive := c.proposals(args, word)
	return slices.DeleteFunc(all, func(proposal string) bool {
		return len(proposal) < len(word) || !strings.EqualFold(proposal[:len(word)], word)
	}), directive
}

func (c *call) proposals(args []string, word string) ([]string, cobra.ShellCompDirective) {
	const noFiles = cobra.ShellCompDirectiveNoFileComp
	switch len(args) {
	case 0:
		return []string{"vod\tApsaraVideo VOD", "ice\tIntelligent Media Services"}, noFiles
	case 1:
		product, err := operation.Product(args[0])
		if err != nil {
			return nil, noFiles
		}
		var all []string
		for _, action := range catalogue.Actions(product) {
			all = append(all, action+"\t"+summary(catalogue.Find(product, action)))
		}
		return all, noFiles
	}
	op, err := findOperation(args)
	if err != nil {
		return nil, noFiles
	}
	if name, _, valued := strings.Cut(word, "="); valued {
		f := op.Param(name)
		if f == nil {
			return nil, noFiles
		}
		tokens, _ := f.Tokens()
		if len(tokens) == 0 && strings.HasPrefix(word, name+"=@") {
			return nil, cobra.ShellCompDirectiveDefault
		}
		var all []string
		for _, token := range tokens {
			all = append(all, name+"="+token)
		}
		return all, noFiles
	}
	var all []string
	for _, f := range visible(op) {
		if !slices.ContainsFunc(args[2:], func(arg string) bool { return strings.HasPrefix(arg, f.Name+"=") }) {
			all = append(all, f.Name+"=\t"+describe(f))
		}
	}
	return all, noFiles | cobra.ShellCompDirectiveNoSpace | cobra.ShellCompDirectiveKeepOrder
}
