package typescript

import "manito/internal/lang"

// nodeModules are the modules that Node itself brings.
var nodeModules = set(
	"assert", "async_hooks", "buffer", "child_process", "cluster", "console", "constants", "crypto", "dgram", "diagnostics_channel", "dns", "domain", "events", "fs", "http", "http2",
	"https", "inspector", "module", "net", "os", "path", "perf_hooks", "process", "punycode", "querystring", "readline", "repl", "stream", "string_decoder", "sys", "timers", "tls",
	"trace_events", "tty", "url", "util", "v8", "vm", "wasi", "worker_threads", "zlib",
)

func set(names ...string) map[string]bool {
	m := make(map[string]bool, len(names))
	for _, n := range names {
		m[n] = true
	}
	return m
}

// builtins are the names that the language, browsers and Node declare.
func builtins() map[string]lang.Builtin {
	m := make(map[string]lang.Builtin, 600)
	for _, n := range values {
		m[n] = lang.Builtin{}
	}
	for _, n := range types {
		m[n] = lang.Builtin{Type: true}
	}
	for name, result := range functions {
		m[name] = lang.Builtin{Result: result}
	}
	m["structuredClone"] = lang.Builtin{Same: true}
	return m
}

// functions of the language with what they give.
var functions = map[string]string{
	"parseInt": "number", "parseFloat": "number", "isNaN": "boolean", "isFinite": "boolean", "encodeURIComponent": "string", "decodeURIComponent": "string", "encodeURI": "string",
	"decodeURI": "string", "escape": "string", "unescape": "string", "btoa": "string", "atob": "string", "setTimeout": "number", "setInterval": "number", "setImmediate": "number",
	"requestAnimationFrame": "number", "requestIdleCallback": "number", "confirm": "boolean", "prompt": "string",
}

var values = []string{
	"undefined", "NaN", "Infinity", "globalThis", "arguments", "eval", "console", "Math", "JSON", "Reflect", "Atomics", "Intl", "WebAssembly", "this",
	// Browsers
	"window", "self", "document", "navigator", "location", "history", "screen", "localStorage", "sessionStorage", "indexedDB", "caches", "crypto", "performance", "customElements", "frames",
	"parent", "top", "opener", "origin", "isSecureContext", "visualViewport", "speechSynthesis", "innerWidth", "innerHeight", "outerWidth", "outerHeight", "scrollX", "scrollY", "pageXOffset",
	"pageYOffset", "devicePixelRatio", "fetch", "alert", "clearTimeout", "clearInterval", "clearImmediate", "cancelAnimationFrame", "cancelIdleCallback", "queueMicrotask", "postMessage",
	"addEventListener", "removeEventListener", "dispatchEvent", "getComputedStyle", "getSelection", "matchMedia", "scrollTo", "scrollBy", "scroll", "open", "close", "print", "focus", "blur",
	"reportError", "createImageBitmap", "importScripts", "CSS", "name", "status", "event", "external", "menubar", "toolbar", "trustedTypes", "chrome", "scheduler", "cookieStore", "clients",
	"registration", "skipWaiting",
	// Node and modules
	"process", "global", "__dirname", "__filename", "require", "module", "exports", "define", "Deno", "Bun",
}

var types = []string{
	// Primitive and special types
	"string", "number", "boolean", "bigint", "symbol", "object", "any", "unknown", "never", "void", "null",
	// The language
	"Object", "Function", "Boolean", "Symbol", "Number", "BigInt", "String", "RegExp", "Date", "Array", "Map", "Set", "WeakMap", "WeakSet", "WeakRef", "Promise", "Proxy", "Error", "AggregateError",
	"EvalError", "RangeError", "ReferenceError", "SyntaxError", "TypeError", "URIError", "SuppressedError", "DisposableStack", "AsyncDisposableStack", "ArrayBuffer", "SharedArrayBuffer", "DataView",
	"Int8Array", "Uint8Array", "Uint8ClampedArray", "Int16Array", "Uint16Array", "Int32Array", "Uint32Array", "Float16Array", "Float32Array", "Float64Array", "BigInt64Array", "BigUint64Array",
	"FinalizationRegistry", "Iterator", "AsyncIterator", "Generator", "AsyncGenerator", "GeneratorFunction", "AsyncFunction", "AsyncGeneratorFunction",
	// Types of lib.es5 and later
	"Partial", "Required", "Readonly", "Record", "Pick", "Omit", "Exclude", "Extract", "NonNullable", "Parameters", "ConstructorParameters", "ReturnType", "InstanceType", "ThisType", "ThisParameterType",
	"OmitThisParameter", "Awaited", "Uppercase", "Lowercase", "Capitalize", "Uncapitalize", "NoInfer", "PromiseLike", "PromiseConstructor", "PromiseConstructorLike", "PromiseSettledResult",
	"PromiseFulfilledResult", "PromiseRejectedResult", "PromiseWithResolvers", "ArrayLike", "ReadonlyArray", "ReadonlyMap", "ReadonlySet", "ConcatArray", "Iterable", "IterableIterator", "IteratorResult",
	"IteratorYieldResult", "IteratorReturnResult", "IteratorObject", "AsyncIterable", "AsyncIterableIterator", "AsyncIteratorObject", "ArrayIterator", "MapIterator", "SetIterator", "StringIterator",
	"PropertyKey", "PropertyDescriptor", "PropertyDescriptorMap", "TypedPropertyDescriptor", "TemplateStringsArray", "IArguments", "CallableFunction", "NewableFunction", "RegExpMatchArray",
	"RegExpExecArray", "RegExpStringIterator", "ErrorOptions", "ErrorConstructor", "ProxyHandler", "ArrayBufferLike", "ArrayBufferView", "Disposable", "AsyncDisposable", "WeakKey", "ClassDecorator",
	"PropertyDecorator", "MethodDecorator", "ParameterDecorator", "ClassDecoratorContext", "ClassMethodDecoratorContext", "ClassGetterDecoratorContext", "ClassSetterDecoratorContext",
	"ClassFieldDecoratorContext", "ClassAccessorDecoratorContext", "ClassAccessorDecoratorTarget", "ClassAccessorDecoratorResult", "ClassMemberDecoratorContext", "DecoratorContext", "DecoratorMetadata",
	"ImportMeta", "ImportAttributes", "SymbolConstructor", "ObjectConstructor", "FunctionConstructor", "ArrayConstructor", "DateConstructor", "NumberConstructor", "StringConstructor",
	"BooleanConstructor", "MapConstructor", "SetConstructor", "JSX",
	// Browsers
	"AbortController", "AbortSignal", "Animation", "AnimationEvent", "Attr", "Audio", "AudioBuffer", "AudioContext", "AudioNode", "BaseAudioContext", "BeforeUnloadEvent", "Blob", "BlobPart", "BodyInit",
	"BroadcastChannel", "BufferSource", "ByteLengthQueuingStrategy", "CDATASection", "CSSRule", "CSSStyleDeclaration", "CSSStyleRule", "CSSStyleSheet", "Cache", "CacheStorage", "CanvasGradient",
	"CanvasPattern", "CanvasRenderingContext2D", "CharacterData", "Clipboard", "ClipboardEvent", "ClipboardItem", "CloseEvent", "Comment", "CompositionEvent", "CompressionStream", "Console",
	"CountQueuingStrategy", "Credential", "Crypto", "CryptoKey", "CustomElementRegistry", "CustomEvent", "CustomEventInit", "DOMException", "DOMImplementation", "DOMMatrix", "DOMParser", "DOMPoint",
	"DOMRect", "DOMRectList", "DOMRectReadOnly", "DOMStringMap", "DOMTokenList", "DataTransfer", "DataTransferItem", "DecompressionStream", "Document", "DocumentFragment", "DocumentType", "DragEvent",
	"Element", "ElementInternals", "ErrorEvent", "Event", "EventInit", "EventListener", "EventListenerObject", "EventListenerOrEventListenerObject", "EventListenerOptions", "AddEventListenerOptions",
	"EventSource", "EventTarget", "File", "FileList", "FileReader", "FocusEvent", "FontFace", "FontFaceSet", "FormData", "FormDataEntryValue", "FormDataEvent", "FrameRequestCallback", "Gamepad",
	"GamepadEvent", "Geolocation", "GeolocationPosition", "GlobalEventHandlers", "HTMLAnchorElement", "HTMLAudioElement", "HTMLBodyElement", "HTMLButtonElement", "HTMLCanvasElement", "HTMLCollection",
	"HTMLCollectionOf", "HTMLDialogElement", "HTMLDivElement", "HTMLDocument", "HTMLElement", "HTMLElementEventMap", "HTMLElementTagNameMap", "HTMLFieldSetElement", "HTMLFormElement", "HTMLHeadElement",
	"HTMLHeadingElement", "HTMLHtmlElement", "HTMLIFrameElement", "HTMLImageElement", "HTMLInputElement", "HTMLLIElement", "HTMLLabelElement", "HTMLLegendElement", "HTMLLinkElement", "HTMLMediaElement",
	"HTMLMetaElement", "HTMLOListElement", "HTMLObjectElement", "HTMLOptGroupElement", "HTMLOptionElement", "HTMLOutputElement", "HTMLParagraphElement", "HTMLPreElement", "HTMLProgressElement",
	"HTMLScriptElement", "HTMLSelectElement", "HTMLSlotElement", "HTMLSourceElement", "HTMLSpanElement", "HTMLStyleElement", "HTMLTableCellElement", "HTMLTableElement", "HTMLTableRowElement",
	"HTMLTableSectionElement", "HTMLTemplateElement", "HTMLTextAreaElement", "HTMLTitleElement", "HTMLUListElement", "HTMLVideoElement", "HashChangeEvent", "Headers", "HeadersInit", "History",
	"IDBCursor", "IDBDatabase", "IDBFactory", "IDBIndex", "IDBKeyRange", "IDBObjectStore", "IDBOpenDBRequest", "IDBRequest", "IDBTransaction", "IDBValidKey", "IdleDeadline", "Image", "ImageBitmap",
	"ImageData", "InputEvent", "IntersectionObserver", "IntersectionObserverCallback", "IntersectionObserverEntry", "IntersectionObserverInit", "JsonWebKey", "KeyboardEvent", "KeyframeEffect",
	"Keyframe", "Location", "MediaDevices", "MediaQueryList", "MediaQueryListEvent", "MediaRecorder", "MediaSource", "MediaStream", "MediaStreamTrack", "MessageChannel", "MessageEvent", "MessagePort",
	"MouseEvent", "MouseEventInit", "MutationObserver", "MutationObserverInit", "MutationRecord", "NamedNodeMap", "Navigator", "Node", "NodeFilter", "NodeIterator", "NodeList", "NodeListOf", "Notification",
	"OffscreenCanvas", "OffscreenCanvasRenderingContext2D", "Option", "PageTransitionEvent", "ParentNode", "ChildNode", "Path2D", "Performance", "PerformanceEntry", "PerformanceMark", "PerformanceMeasure",
	"PerformanceNavigation", "PerformanceObserver", "PerformanceObserverEntryList", "PointerEvent", "PointerEventInit", "PopStateEvent", "ProgressEvent", "PromiseRejectionEvent", "PushSubscription",
	"RTCDataChannel", "RTCIceCandidate", "RTCPeerConnection", "RTCSessionDescription", "Range", "ReadableStream", "ReadableStreamDefaultController", "ReadableStreamDefaultReader", "ReadableByteStreamController",
	"Request", "RequestInfo", "RequestInit", "RequestCredentials", "RequestMode", "ResizeObserver", "ResizeObserverEntry", "ResizeObserverSize", "Response", "ResponseInit", "SVGCircleElement", "SVGElement",
	"SVGGElement", "SVGGraphicsElement", "SVGPathElement", "SVGRect", "SVGSVGElement", "SVGTextElement", "ScrollBehavior", "ScrollIntoViewOptions", "ScrollToOptions", "Selection", "ServiceWorker",
	"ServiceWorkerContainer", "ServiceWorkerGlobalScope", "ServiceWorkerRegistration", "ShadowRoot", "ShadowRootInit", "SharedWorker", "StaticRange", "Storage", "StorageEvent", "StyleSheet", "SubmitEvent",
	"SubtleCrypto", "Text", "TextDecoder", "TextDecoderStream", "TextEncoder", "TextEncoderStream", "TextMetrics", "TimeRanges", "TimerHandler", "ToggleEvent", "Touch", "TouchEvent", "TouchList",
	"TransformStream", "TransformStreamDefaultController", "TransitionEvent", "TreeWalker", "UIEvent", "URL", "URLSearchParams", "VisibilityState", "VisualViewport", "WebGL2RenderingContext",
	"WebGLBuffer", "WebGLContextAttributes", "WebGLFramebuffer", "WebGLProgram", "WebGLRenderingContext", "WebGLShader", "WebGLTexture", "WebGLUniformLocation", "WebKitCSSMatrix", "WebSocket",
	"WheelEvent", "Window", "WindowEventMap", "DocumentEventMap", "WindowProxy", "Worker", "WorkerGlobalScope", "DedicatedWorkerGlobalScope", "WritableStream", "WritableStreamDefaultController",
	"WritableStreamDefaultWriter", "XMLDocument", "XMLHttpRequest", "XMLHttpRequestBodyInit", "XMLSerializer", "XPathResult", "XSLTProcessor", "DOMHighResTimeStamp", "Transferable", "QueuingStrategy",
	"UnderlyingSource", "GPUDevice", "GPUBuffer", "GPUTexture", "MathMLElement", "NavigationPreloadManager", "ReadableStreamReadResult", "ViewTransition", "CSSRuleList", "ElementTagNameMap",
	"SVGElementTagNameMap", "FileSystemDirectoryHandle", "FileSystemFileHandle", "FileSystemHandle", "FetchEvent", "ExtendableEvent", "Permissions", "PermissionStatus", "LockManager", "ClipboardEventInit",
	// Node
	"Buffer", "BufferEncoding", "BufferConstructor", "NodeJS", "NodeRequire", "NodeModule", "RequestListener",
}
