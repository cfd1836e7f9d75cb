Composition {
	CurrentTime = 12,
	RenderRange = { 0, 99 },
	GlobalRange = { 0, 99 },
	CurrentID = 4,
	HiQ = true,
	PlaybackUpdateMode = "All",
	StereoMode = false,
	Version = "DaVinci Resolve Studio 20.0.0.0049",
	SavedOutputs = 2,
	HeldTools = 0,
	DisabledTools = 0,
	LockedTools = 0,
	AudioOffset = 0,
	Resumable = true,
	OutputClips = {
	},
	Tools = {
		MediaIn1 = MediaIn {
			ExtentSet = true,
			CustomData = {
				MediaProps = {
					MEDIA_NAME = "A \"quoted\" name, with } in it",
					MEDIA_NUM_FRAMES = 100,
					MEDIA_SRC_FRAME_RATE = 24
				},
				Settings = {
					[1] = {
						Tools = ordered() {
							Polygon9 = PolylineMask {
								Inputs = {
									Polyline = Input { Value = Polyline { Closed = true, Points = { } }, }
								},
							}
						}
					}
				}
			},
			Inputs = {
				GlobalOut = Input { Value = 99, },
				["Gamut.SLogVersion"] = Input { Value = FuID { "SLog2" }, },
				LeftAudio = Input {
					SourceOp = "MediaIn1",
					Source = "LeftAudio",
				},
			},
			ViewInfo = OperatorInfo { Pos = { -55, 16.5 } },
		},
		Polygon1 = PolylineMask {
			DrawMode = "InsertAndModify",
			DrawMode2 = "InsertAndModify",
			CtrlWZoom = false,
			Inputs = {
				Filter = Input { Value = FuID { "Fast Gaussian" }, },
				MaskWidth = Input { Value = 1920, },
				MaskHeight = Input { Value = 1080, },
				PixelAspect = Input { Value = { 1, 1 }, },
				UseFrameFormatSettings = Input { Value = 1, },
				ClippingMode = Input { Value = FuID { "None" }, },
				Polyline = Input {
					SourceOp = "Polygon1Polyline",
					Source = "Value",
				},
				Polyline2 = Input {
					Value = Polyline {
					},
					Disabled = true,
				},
			},
			ViewInfo = OperatorInfo { Pos = { 55, -49.5 } },
		},
		Polygon1Polyline = BezierSpline {
			SplineColor = { Red = 173, Green = 255, Blue = 47 },
			NameSet = true,
			KeyFrames = {
				[12] = { 0, Flags = { Linear = true, LockedY = true }, Value = Polyline {
						Closed = true,
						Points = {
							{ Linear = true, X = -0.25, Y = -0.25, LX = 0, LY = 0.166667, RX = 0.166667, RY = 0 },
							{ Linear = true, X = 0.25, Y = -0.25, LX = -0.166667, LY = 0, RX = 0, RY = 0.166667 },
							{ Linear = true, X = 0.25, Y = 0.25, LX = 0, LY = -0.166667, RX = -0.166667, RY = 0 },
							{ Linear = true, X = -0.25, Y = 0.25, LX = 0.166667, LY = 0, RX = 0, RY = -0.166667 }
						}
					} }
			}
		},
		MediaOut1 = MediaOut {
			CtrlWShown = false,
			Inputs = {
				Index = Input { Value = "0", },
				EffectMask = Input {
					SourceOp = "Polygon1",
					Source = "Mask",
				},
				Input = Input {
					SourceOp = "MediaIn1",
					Source = "Output",
				}
			},
			ViewInfo = OperatorInfo { Pos = { 220, 16.5 } },
		}
	},
	Views = {
		{
			FrameTypeID = "ChildFrame",
		}
	}
}
