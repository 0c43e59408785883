package model_test
import ("testing";"ptycho/internal/kernel";"fmt";"ptycho/model";"ptycho/internal/testutil";"math")
func TestDbg(t *testing.T){
 for seed:=uint64(0);seed<10;seed++{
 var ref []float32
 for _,k:=range []string{"generic","avx2"}{ 
  kernel.Use(k)
  g:=openGolden(t,"network_n128_gs1.npz")
  for i,v:=range testutil.Signed(seed+50,len(g.net.Params.Data)){ if seed>0 {g.net.Params.Data[i]+=1e-4*v}}
  p,_:=g.pass(model.Train)
  grad := make([]float32, len(g.net.Params.Data))
  p.Backward(1,grad)
  if ref==nil {ref=grad;continue}
  worst,wn:=0.0,""
  for _,q:=range g.net.Params.All(){ s,n:=0.0,0.0; for i:=q.Offset;i<q.Offset+q.Shape.Size();i++{ d:=float64(grad[i]-ref[i]); s+=d*d; n+=float64(ref[i])*float64(ref[i])}
   if r:=math.Sqrt(s/n); r>worst {worst,wn=r,q.Name}
  }
  fmt.Println(seed,worst,wn)
 }}
}
